// Three toy schedulers: how tasks can be spread over threads.
//
// A toy task cannot stop in the middle. It is called again and again, does one step each time, and
// says whether there is another one. That is all a scheduler without stacks of its own can run;
// from lab 1 on, a goroutine stops wherever it likes.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace models {

using Task = std::function<bool()>;  // does one step; true: there is another

// 1:1. Every task has a thread of its own; the kernel schedules all of them.
// [one_to_one]
inline void run_one_to_one(std::vector<Task> tasks) {
  std::vector<std::thread> threads;
  for (Task& task : tasks) {
    threads.emplace_back([&task] {
      while (task()) {
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}
// [/one_to_one]

// N:1. All tasks share the caller's thread and take turns.
// [many_to_one]
inline void run_many_to_one(std::vector<Task> tasks) {
  std::deque<Task> queue(tasks.begin(), tasks.end());
  while (!queue.empty()) {
    Task task = std::move(queue.front());
    queue.pop_front();
    if (task()) queue.push_back(std::move(task));
  }
}
// [/many_to_one]

// M:N. A few threads take tasks from one queue. A task may do each step on another thread.
// [many_to_many]
class SharedQueue {
 public:
  explicit SharedQueue(std::vector<Task> tasks) : queue_(tasks.begin(), tasks.end()) {}

  // What each thread runs. Whoever finds the queue empty may stop: each task that is left is with
  // another thread, which will go on with it.
  void run() {
    for (Task task; take(&task);) {
      if (task()) put(std::move(task));
    }
  }

 private:
  bool take(Task* task) {
    const std::lock_guard guard(mutex_);
    if (queue_.empty()) return false;
    *task = std::move(queue_.front());
    queue_.pop_front();
    return true;
  }

  void put(Task task) {
    const std::lock_guard guard(mutex_);
    queue_.push_back(std::move(task));
  }

  std::mutex mutex_;
  std::deque<Task> queue_;
};

inline void run_many_to_many(std::vector<Task> tasks, int thread_count) {
  SharedQueue queue(std::move(tasks));
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) threads.emplace_back([&queue] { queue.run(); });
  for (std::thread& thread : threads) thread.join();
}
// [/many_to_many]

}  // namespace models
