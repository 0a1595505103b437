// What a channel timer's slot asks of its channel.
#pragma once

namespace goro {

// Throws away what a stopped or reset timer has sent and nobody has received. `channel` is
// RuntimeTimer::arg. True if there was something. Under the timer's send_lock. Go: timerchandrain.
bool drain_timer_channel(void* channel);

}  // namespace goro
