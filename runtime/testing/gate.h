// System calls that block until the test says so.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace goro::testing {

// A pipe whose readers block until somebody writes.
struct Gate {
  Gate() { EXPECT_EQ(pipe(fds), 0) << "the test needs a pipe"; }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() {
    close(fds[0]);
    close(fds[1]);
  }
  // So many blocked readers go on: each takes one byte.
  void open(int readers) const {
    const std::string bytes(static_cast<std::size_t>(readers), '.');
    EXPECT_EQ(write(fds[1], bytes.data(), bytes.size()), static_cast<ssize_t>(readers))
        << "the test needs to write to its pipe";
  }
  int fds[2] = {-1, -1};
};

inline void read_one(int fd) {
  char byte = 0;
  while (read(fd, &byte, 1) != 1) {
  }
}

}  // namespace goro::testing
