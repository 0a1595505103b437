// The first process of a sandbox. It stands between bubblewrap, which tells its caller too little
// about how a program ended, and the program, which as the first process would not get its own
// signals. No process in the sandbox can look into it or end it; when it ends, the kernel ends
// them.
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "inside.h"

namespace {

using goro::grader::FromInside;

void tell(int control, FromInside::What what, int number) {
  const FromInside message{what, number};
  (void)::send(control, &message, sizeof message, MSG_NOSIGNAL);
}

bool become_user(uid_t user) {
  return user == 0 || (::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
                       ::setresuid(user, user, user) == 0);
}

[[noreturn]] void become_program(int failure, uid_t user, rlim_t processes, char** arguments) {
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit limit{processes, processes};
  if (become_user(user) && ::setrlimit(RLIMIT_NPROC, &limit) == 0) {
    ::execvp(arguments[0], arguments);
  }
  const int reason = errno;
  (void)!::write(failure, &reason, sizeof reason);
  ::_exit(127);
}

// Buries whoever died. Whether `program` was among them, and then how.
bool bury(pid_t program, int& status) {
  bool ended = false;
  int one = 0;
  for (pid_t dead = 0; (dead = ::waitpid(-1, &one, WNOHANG)) > 0;) {
    if (dead == program) {
      ended = true;
      status = one;
    }
  }
  return ended;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    return 2;
  }
  const int control = std::atoi(argv[1]);
  const auto user = static_cast<uid_t>(std::strtoul(argv[2], nullptr, 10));
  const auto processes = static_cast<rlim_t>(std::strtoul(argv[3], nullptr, 10));
  (void)::prctl(PR_SET_DUMPABLE, 0);
  (void)::fcntl(control, F_SETFD, FD_CLOEXEC);

  sigset_t deaths;
  sigemptyset(&deaths);
  sigaddset(&deaths, SIGCHLD);
  (void)::sigprocmask(SIG_BLOCK, &deaths, nullptr);
  const int dead = ::signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
  std::array<int, 2> failure{};
  if (dead < 0 || ::pipe2(failure.data(), O_CLOEXEC) != 0) {
    tell(control, FromInside::What::failed, errno);
    return 1;
  }
  const pid_t program = ::fork();
  if (program < 0) {
    tell(control, FromInside::What::failed, errno);
    return 1;
  }
  if (program == 0) {
    become_program(failure[1], user, processes, argv + 4);
  }
  (void)::close(failure[1]);
  int reason = 0;
  if (::read(failure[0], &reason, sizeof reason) == static_cast<ssize_t>(sizeof reason)) {
    tell(control, FromInside::What::failed, reason);
    return 1;
  }
  tell(control, FromInside::What::started, 0);

  std::array<pollfd, 2> waiting{pollfd{dead, POLLIN, 0}, pollfd{control, POLLIN, 0}};
  for (;;) {
    (void)::poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents != 0) {
      signalfd_siginfo read_away{};
      (void)!::read(dead, &read_away, sizeof read_away);
      int status = 0;
      if (bury(program, status)) {
        if (WIFSIGNALED(status)) {
          tell(control, FromInside::What::signalled, WTERMSIG(status));
        } else {
          tell(control, FromInside::What::exited, WEXITSTATUS(status));
        }
        return 0;
      }
    }
    if (waiting[1].revents != 0) {
      char asked = 0;
      if (::read(control, &asked, 1) <= 0) {
        return 0;
      }
      if (asked == goro::grader::ask_for_dump) {
        (void)::kill(program, SIGQUIT);
      }
    }
  }
}
