// Why a goroutine is parked: the words a dump prints in `goroutine 7 [chan receive]:`.
#pragma once

#include <cstdint>

namespace goro {

// Go: waitReason in runtime2.go; the subset that a runtime without a garbage collector can have.
enum class WaitReason : std::uint8_t {
  none,
  io_wait,
  sleep,
  chan_receive_nil,
  chan_send_nil,
  select,
  select_no_cases,
  chan_receive,
  chan_send,
  semacquire,
  sync_cond_wait,
  sync_mutex_lock,
  sync_rwmutex_rlock,
  sync_rwmutex_lock,
  sync_waitgroup_wait,
  preempted,
  panicwait,
};

// Go's word for `reason`, "" for none.
const char* wait_reason_string(WaitReason reason);

}  // namespace goro
