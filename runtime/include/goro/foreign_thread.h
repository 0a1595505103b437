// Threads that are not the runtime's.
//
// From the first time that one of them, or a system call (goro/system_call.h), uses a channel,
// goroutines pay as much for channels at one P as they do at several, until the process ends.
#pragma once

namespace goro {

// While one exists, somebody outside can still wake a goroutine, so no deadlock is reported; when
// the last one goes, a deadlock that stands is. On any thread that is not the runtime's, also
// before run() is called.
class ForeignThread {
 public:
  ForeignThread();
  ForeignThread(const ForeignThread&) = delete;
  ForeignThread& operator=(const ForeignThread&) = delete;
  ~ForeignThread();
};

}  // namespace goro
