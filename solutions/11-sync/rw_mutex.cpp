// Readers and writers on one counter.
//
// Readers count up and down. A writer subtracts more than there can ever be readers: so one look
// at the sign tells a reader whether a writer is there, and the number of readers is not lost.
#include "contracts/services/fatal.h"
#include "contracts/sync.h"

namespace goro {

void rw_rlock_slow(RWMutexWords* rw) {
  semacquire1(&rw->reader_sem, false, WaitReason::sync_rwmutex_rlock);
}

void rw_runlock_slow(RWMutexWords* rw, std::int32_t now) {
  if (now + 1 == 0 || now + 1 == -kRWMutexMaxReaders) {
    fatal("sync: RUnlock of unlocked RWMutex");
  }
  // acq_rel: what all readers did happens before what the writer does.
  if (rw->reader_wait.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    semrelease1(&rw->writer_sem, false);
  }
}

// [rw_lock]
void rw_lock(RWMutexWords* rw) {
  mutex_lock(&rw->w);
  const std::int32_t readers =
      rw->reader_count.fetch_sub(kRWMutexMaxReaders, std::memory_order_acq_rel);
  // Some of them may have gone since: they have counted reader_wait below 0.
  if (readers != 0 &&
      rw->reader_wait.fetch_add(readers, std::memory_order_acq_rel) + readers != 0) {
    semacquire1(&rw->writer_sem, false, WaitReason::sync_rwmutex_lock);
  }
}
// [/rw_lock]

void rw_unlock(RWMutexWords* rw) {
  const std::int32_t readers =
      rw->reader_count.fetch_add(kRWMutexMaxReaders, std::memory_order_release) +
      kRWMutexMaxReaders;
  if (readers >= kRWMutexMaxReaders) fatal("sync: Unlock of unlocked RWMutex");
  for (std::int32_t i = 0; i < readers; ++i) semrelease1(&rw->reader_sem, false);
  mutex_unlock(&rw->w);
}

}  // namespace goro
