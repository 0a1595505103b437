#pragma once

// What the grader and goro-inside, the first process of a sandbox, tell each other.
namespace goro::grader {

// goro-inside FD USER PROCESSES PROGRAM ARGUMENT…: runs the program as that user (0: as it is) with
// so many processes at most. When the program ends, so does everything in the sandbox.

// To goro-inside: send SIGQUIT to the program. Nothing more to read: the grader is gone.
constexpr char ask_for_dump = 'q';

// From goro-inside, first started or failed, then, if it was started, ended.
struct FromInside {
  enum class What { started, failed, exited, signalled };
  What what = What::started;
  int number = 0;  // errno, the exit status, or the signal
};

}  // namespace goro::grader
