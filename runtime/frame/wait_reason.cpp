#include "contracts/wait_reason.h"

namespace goro {

const char* wait_reason_string(WaitReason reason) {
  switch (reason) {
    case WaitReason::none:
      return "";
    case WaitReason::io_wait:
      return "IO wait";
    case WaitReason::sleep:
      return "sleep";
    case WaitReason::chan_receive_nil:
      return "chan receive (nil chan)";
    case WaitReason::chan_send_nil:
      return "chan send (nil chan)";
    case WaitReason::select:
      return "select";
    case WaitReason::select_no_cases:
      return "select (no cases)";
    case WaitReason::chan_receive:
      return "chan receive";
    case WaitReason::chan_send:
      return "chan send";
    case WaitReason::semacquire:
      return "semacquire";
    case WaitReason::sync_cond_wait:
      return "sync.Cond.Wait";
    case WaitReason::sync_mutex_lock:
      return "sync.Mutex.Lock";
    case WaitReason::sync_rwmutex_rlock:
      return "sync.RWMutex.RLock";
    case WaitReason::sync_rwmutex_lock:
      return "sync.RWMutex.Lock";
    case WaitReason::sync_waitgroup_wait:
      return "sync.WaitGroup.Wait";
    case WaitReason::preempted:
      return "preempted";
    case WaitReason::panicwait:
      return "panicwait";
  }
  return "";
}

}  // namespace goro
