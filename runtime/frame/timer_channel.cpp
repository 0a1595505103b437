#include "contracts/services/timer_channel.h"

namespace goro {

bool drain_timer_channel(void* /*channel*/) {
  return false;
}

}  // namespace goro
