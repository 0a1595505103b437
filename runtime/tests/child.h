// Runs a function in a child process and looks at how it ended.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "contracts/model.h"
#include "goro/system_stack.h"

namespace goro::testing {

struct ChildEnd {
  int status = -1;  // exit status; 128 + signal if a signal ended it
  std::string err;  // what it wrote to stderr
};

// fork: the child runs `body` and exits with 0 if that returns. It is killed after a minute.
template <typename F>
ChildEnd in_child(F&& body) {
  int fds[2];
  ChildEnd end;
  if (pipe(fds) != 0) return end;
  const pid_t child = fork();
  if (child == 0) {
    dup2(fds[1], STDERR_FILENO);
    close(fds[0]);
    close(fds[1]);
    alarm(60);
    body();
    _exit(0);
  }
  close(fds[1]);
  char buffer[4096];
  for (ssize_t n = 0; (n = read(fds[0], buffer, sizeof(buffer))) > 0;) {
    end.err.append(buffer, static_cast<std::size_t>(n));
  }
  close(fds[0]);
  int status = 0;
  waitpid(child, &status, 0);
  end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return end;
}

// A field of sched that is protected by sched.lock; from a goroutine.
template <typename T>
T under_lock(const T& field) {
  return on_system_stack([&] {
    sched.lock.lock();
    const T value = field;
    sched.lock.unlock();
    return value;
  });
}

}  // namespace goro::testing
