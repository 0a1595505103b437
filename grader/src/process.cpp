#include "process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "inside.h"
#include "problem.h"
#include "process_table.h"
#include "text.h"
#include "unique_fd.h"

namespace goro::grader {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t channel_bytes = std::size_t{1} << 20;

// The groups that are alive. A group is added under the same lock under which it is forked, so an
// interruption, which takes the lock too, never misses one.
struct Groups {
  std::mutex lock;
  std::set<pid_t> alive;
};

Groups& groups() {
  // Never destroyed: the interruption thread may outlive main.
  static auto* const all = new Groups;
  return *all;
}

// The program of run_in_front; 0: there is none, kSomebody: it is just being started.
constexpr pid_t kSomebody = -1;
std::atomic<pid_t>& in_front() {
  static std::atomic<pid_t> pid{0};
  return pid;
}

// As exec wants them: the words', and a null pointer.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

sigset_t interruptions() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

// Keeps the first and the last `room` bytes of what it is given.
class OutputKeeper {
 public:
  explicit OutputKeeper(std::size_t room) : room_(room) {}

  void add(std::string_view bytes) {
    const std::size_t to_head = std::min(bytes.size(), room_ - head_.size());
    head_ += bytes.substr(0, to_head);
    tail_ += bytes.substr(to_head);
    if (tail_.size() > 2 * room_) {
      left_out_ += tail_.size() - room_;
      tail_.erase(0, tail_.size() - room_);
    }
  }

  [[nodiscard]] std::string all() const {
    if (left_out_ == 0) {
      return head_ + tail_;
    }
    return head_ + "\n… " + count(left_out_, "byte") + " of output left out …\n" + tail_;
  }

 private:
  std::size_t room_;
  std::string head_;
  std::string tail_;
  std::size_t left_out_ = 0;
};

// Everything the child needs, made before the fork: between fork and exec of a program with threads
// only async-signal-safe calls are allowed.
class Launch {
 public:
  Launch(const Command& command, const Limits& limits, const Extras& extras)
      : limits_(limits), extras_(extras) {
    environment_ = command.environment ? *command.environment : own_environment();
    folder_ = command.folder.string();
    std::array<int, 2> ends{};
    if (in_namespaces()) {
      if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw broken(std::string("cannot make a socket pair: ") + std::strerror(errno));
      }
      control_.reset(ends[0]);
      child_control_.reset(ends[1]);
      arguments_ = grader::in_namespaces(*extras.confinement, folder_, child_control_.get());
      folder_.clear();
    }
    arguments_.insert(arguments_.end(), command.arguments.begin(), command.arguments.end());
    program_ = find_program(arguments_.front());
    shown_program_ = command.arguments.front();
    if (extras.confinement && !in_namespaces() && !extras.confinement->user) {
      for (const ProcessEntry& entry : processes_of(::geteuid())) {
        users_threads_ += entry.threads;
      }
    }

    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw broken(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    output_.reset(ends[0]);
    child_output_.reset(ends[1]);
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw broken(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    failure_.reset(ends[0]);
    child_failure_.reset(ends[1]);
    input_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (extras.greeting) {
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw broken(std::string("cannot make a socket pair: ") + std::strerror(errno));
      }
      channel_.reset(ends[0]);
      child_channel_.reset(ends[1]);
      environment_.push_back("GORO_TEST_CHANNEL=" + std::to_string(child_channel_.get()));
      if (::send(channel_.get(), extras.greeting->data(), extras.greeting->size(), MSG_NOSIGNAL) <
          0) {
        throw broken(std::string("cannot write to a socket pair: ") + std::strerror(errno));
      }
    }
    argv_ = pointers_to(arguments_);
    envp_ = pointers_to(environment_);
  }

  // Returns the child's id, which is its group's too.
  pid_t start() {
    const std::lock_guard hold(groups().lock);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
      throw broken(std::string("cannot start a process: ") + std::strerror(errno));
    }
    if (child == 0) {
      become_program(parent);
    }
    if (!extras_.confinement) {
      // Both sides do it, so it is done whichever runs first.
      (void)::setpgid(child, child);
    }
    groups().alive.insert(child);
    child_output_.reset();
    child_failure_.reset();
    child_channel_.reset();
    child_control_.reset();
    return child;
  }

  // Empty if the program was started; waits until that is known. To be asked once.
  [[nodiscard]] std::string failure() const {
    int reason = 0;
    ssize_t got = 0;
    do {
      got = ::read(failure_.get(), &reason, sizeof reason);
    } while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(sizeof reason)) {
      return {};
    }
    return "cannot run " + (in_namespaces() ? "bwrap" : shown_program_) + ": " +
           std::strerror(reason);
  }

  // The program itself, not what stands around it, is asked for a dump.
  void ask_for_dump(pid_t child) const {
    if (in_namespaces()) {
      (void)::send(control_.get(), &grader::ask_for_dump, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
      (void)::kill(child, SIGQUIT);
    }
  }

  // How a program with namespaces ended; called when bwrap has.
  void told_from_inside(Ended& ended) const {
    ended.how = Ended::How::not_started;
    bool heard = false;
    FromInside message;
    while (::recv(control_.get(), &message, sizeof message, MSG_DONTWAIT) ==
           static_cast<ssize_t>(sizeof message)) {
      heard = true;
      switch (message.what) {
        case FromInside::What::started:
          ended.how = Ended::How::signalled;  // unless it goes on to tell of another end
          ended.status = SIGKILL;
          break;
        case FromInside::What::failed:
          ended.why_not_started =
              "cannot run " + shown_program_ + ": " + std::strerror(message.number);
          break;
        case FromInside::What::exited:
          ended.how = Ended::How::exited;
          ended.status = message.number;
          break;
        case FromInside::What::signalled:
          ended.how = Ended::How::signalled;
          ended.status = message.number;
          break;
      }
    }
    if (!heard) {
      // Nothing that the submission did: none of its code has run.
      throw broken(std::string(no_sandbox) +
                   join(split_lines(trim_right(printable(ended.output))), "; "));
    }
  }

  [[nodiscard]] bool in_namespaces() const {
    return extras_.confinement && extras_.confinement->sandbox == Sandbox::namespaces;
  }
  [[nodiscard]] int output() const { return output_.get(); }
  [[nodiscard]] int channel() const { return channel_.get(); }

 private:
  static std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
      return name;
    }
    const char* path = std::getenv("PATH");
    for (const std::string& folder : split(path != nullptr ? path : "/usr/bin:/bin", ':')) {
      const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
      if (::access(candidate.c_str(), X_OK) == 0) {
        return candidate;
      }
    }
    return name;
  }

  static void limit(int resource, std::uint64_t value) {
    rlimit present{};
    if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &present) == 0) {
      const rlimit wanted{std::min<rlim_t>(value, present.rlim_max),
                          std::min<rlim_t>(value, present.rlim_max)};
      (void)::setrlimit(static_cast<__rlimit_resource_t>(resource), &wanted);
    }
  }

  // Whoever is confined has no terminal, is the first to go when memory runs out, and may use each
  // processor for as long as it may run.
  [[nodiscard]] bool confine() const {
    (void)::setsid();
    const UniqueFd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    (void)!::write(score.get(), "1000", 4);
    if (limits_.processor_time) {
      limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits_.processor_time->count()));
    } else if (limits_.time) {
      const auto seconds =
          std::chrono::ceil<std::chrono::seconds>(*limits_.time + limits_.dump_time);
      limit(RLIMIT_CPU, static_cast<std::uint64_t>(seconds.count() + 1) * processors_);
    }
    if (in_namespaces()) {
      return true;  // the rest is goro-inside's
    }
    (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (const std::optional<uid_t> user = extras_.confinement->user) {
      limit(RLIMIT_NPROC, extras_.confinement->processes);
      return ::setgroups(0, nullptr) == 0 && ::setresgid(*user, *user, *user) == 0 &&
             ::setresuid(*user, *user, *user) == 0 &&
             // A change of user makes the kernel forget this.
             ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
    }
    limit(RLIMIT_NPROC, users_threads_ + extras_.confinement->processes);
    return true;
  }

  [[noreturn]] void become_program(pid_t parent) const {
    if (!extras_.confinement) {
      (void)::setpgid(0, 0);
    }
    // If the grader is killed outright nobody else would end the child.
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
      ::_exit(127);
    }
    for (int number = 1; number < NSIG; ++number) {
      (void)std::signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    (void)::dup2(input_.get(), 0);
    (void)::dup2(child_output_.get(), 1);
    (void)::dup2(child_output_.get(), 2);
    // Whoever started the grader may have left it files that are open for writing.
    if (extras_.confinement && ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
      const int most = static_cast<int>(::sysconf(_SC_OPEN_MAX));
      for (int fd = 3; fd < most; ++fd) {
        (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
      }
    }
    for (const int fd : {child_channel_.get(), child_control_.get()}) {
      (void)::fcntl(fd, F_SETFD, 0);
    }
    limit(RLIMIT_CORE, 0);
    if (limits_.memory_bytes) {
      limit(RLIMIT_AS, *limits_.memory_bytes);
    }
    if (limits_.file_bytes) {
      limit(RLIMIT_FSIZE, *limits_.file_bytes);
    }
    if (extras_.fixed_addresses) {
      (void)::personality(ADDR_NO_RANDOMIZE);
    }
    if ((folder_.empty() || ::chdir(folder_.c_str()) == 0) && (!extras_.confinement || confine())) {
      ::execve(program_.c_str(), argv_.data(), envp_.data());
    }
    const int reason = errno;
    (void)!::write(child_failure_.get(), &reason, sizeof reason);
    ::_exit(127);
  }

  const Limits& limits_;
  const Extras& extras_;
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  std::string folder_;
  std::string program_;
  std::string shown_program_;
  unsigned processors_ = processors();
  std::uint64_t users_threads_ = 0;
  std::vector<char*> argv_;
  std::vector<char*> envp_;
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd child_output_;
  UniqueFd failure_;
  UniqueFd child_failure_;
  UniqueFd channel_;
  UniqueFd child_channel_;
  UniqueFd control_;
  UniqueFd child_control_;
};

// Reads what is there; false at the end of the stream.
template <typename Sink>
bool drain(int fd, Sink&& sink) {
  std::array<char, 1 << 16> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got > 0) {
    sink(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    return true;
  }
  return got < 0 && (errno == EINTR || errno == EAGAIN);
}

// Hands on whole lines.
class LineSplitter {
 public:
  explicit LineSplitter(const std::function<void(std::string_view)>& sink) : sink_(sink) {}

  void add(std::string_view bytes) {
    if (!sink_) {
      return;
    }
    for (const char letter : bytes) {
      if (letter == '\n') {
        sink_(line_);
        line_.clear();
      } else {
        line_ += letter;
      }
    }
  }

 private:
  const std::function<void(std::string_view)>& sink_;
  std::string line_;
};

std::string megabytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MB";
}

bool has_ended(pid_t child) {
  siginfo_t info{};
  // WNOWAIT leaves it a zombie, so that its id, and its group's, cannot be given to another process
  // before the group has been killed.
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == child;
}

// Ends and buries all processes that confined ones left behind: they become this program's
// children.
void end_orphans() {
  const Clock::time_point until = Clock::now() + std::chrono::seconds(10);
  for (bool found = true; found && Clock::now() < until;) {
    found = false;
    const std::lock_guard hold(groups().lock);
    for (const ProcessEntry& entry : process_table()) {
      if (entry.parent != ::getpid() || groups().alive.contains(entry.id) || in_front() != 0) {
        continue;
      }
      found = true;
      (void)::kill(entry.id, SIGKILL);
      (void)::waitpid(entry.id, nullptr, 0);
    }
  }
}

// All of a user's processes at once, so that none can start another one meanwhile.
void end_all_of(uid_t user) {
  const std::lock_guard hold(groups().lock);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(user, user, user) == 0) {
      (void)::kill(-1, SIGKILL);
    }
    ::_exit(0);
  }
  while (child > 0 && ::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void end_what_is_left(const Confinement& confinement) {
  if (confinement.user && confinement.sandbox != Sandbox::namespaces) {
    end_all_of(*confinement.user);
  }
  end_orphans();
}

}  // namespace

std::string Command::shown() const {
  std::vector<std::string> words;
  for (const std::string& argument : arguments) {
    words.push_back(shell_quoted(argument));
  }
  return join(words, " ");
}

Ended run_process(const Command& command, const Limits& limits, const Extras& extras) {
  const Clock::time_point started = Clock::now();
  if (extras.confinement) {
    // Whoever is left without a parent becomes this program's child and is found.
    (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  }
  Launch launch(command, limits, extras);
  const pid_t child = launch.start();
  // Until the child is the program, it leads no group that could be killed, and its memory is a
  // copy of the grader's.
  const std::string failure = launch.failure();

  Ended ended;
  std::uint64_t printed = 0;
  Clock::time_point look_again = started;
  OutputKeeper output(limits.output_bytes);
  LineSplitter lines(extras.on_line);
  const auto take_output = [&](std::string_view bytes) {
    printed += bytes.size();
    output.add(bytes);
    lines.add(bytes);
  };
  const auto take_message = [&](std::string_view bytes) {
    ended.channel += bytes.substr(0, channel_bytes - std::min(channel_bytes, ended.channel.size()));
  };

  bool asked_for_dump = false;
  bool killed = false;
  bool had_most_processes = false;
  const std::optional<Confinement>& confined = extras.confinement;
  std::array<pollfd, 2> waiting{pollfd{launch.output(), POLLIN, 0},
                                pollfd{launch.channel(), POLLIN, 0}};
  while (!has_ended(child)) {
    const auto running = Clock::now() - started;
    if (limits.time && !asked_for_dump && running >= *limits.time) {
      asked_for_dump = true;
      launch.ask_for_dump(child);
    }
    if (limits.most_output && printed > *limits.most_output) {
      ended.limit = "printed more than " + megabytes(*limits.most_output);
    }
    if ((confined || limits.resident_bytes) && Clock::now() >= look_again) {
      const Usage usage = usage_of_tree(child, confined ? confined->user : std::nullopt);
      const bool much = limits.resident_bytes && usage.resident_bytes > *limits.resident_bytes / 2;
      look_again = Clock::now() + std::chrono::milliseconds(much ? 25 : 250);
      if (limits.resident_bytes && usage.resident_bytes > *limits.resident_bytes) {
        ended.limit = "used more than " + megabytes(*limits.resident_bytes) + " of memory";
      }
      // The kernel refuses more than these; whoever goes on trying is ended.
      const bool most = confined && usage.threads >= confined->processes;
      if (most && had_most_processes) {
        ended.limit = "had " + std::to_string(confined->processes) +
                      " processes and threads, more than which there cannot be,";
      }
      had_most_processes = most;
    }
    if (!ended.limit.empty() && !killed) {
      killed = true;
      (void)::kill(-child, SIGKILL);
    }
    if (limits.time && !killed && running >= *limits.time + limits.dump_time) {
      killed = true;
      (void)::kill(-child, SIGKILL);
    }
    // Nothing tells poll() of the child's end if a grandchild holds the pipe open, hence the
    // slices; ends of streams are taken out (fd -1), or poll() would return at once from then on.
    (void)::poll(waiting.data(), waiting.size(), 10);
    if (waiting[0].revents != 0 && !drain(waiting[0].fd, take_output)) {
      waiting[0].fd = -1;
    }
    if (waiting[1].revents != 0 && !drain(waiting[1].fd, take_message)) {
      waiting[1].fd = -1;
    }
    waiting[0].revents = 0;
    waiting[1].revents = 0;
  }
  (void)::kill(-child, SIGKILL);
  if (extras.confinement) {
    end_what_is_left(*extras.confinement);
  }
  ended.seconds = std::chrono::duration<double>(Clock::now() - started).count();

  int status = 0;
  {
    const std::lock_guard hold(groups().lock);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    groups().alive.erase(child);
  }
  // What is left in the pipes; a process that left the group may hold them open for ever, so this
  // takes what is there and does not wait for the end.
  for (const int fd : {launch.output(), launch.channel()}) {
    if (fd >= 0) {
      (void)::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
  }
  const auto available = [](int fd) {
    pollfd one{fd, POLLIN, 0};
    return fd >= 0 && ::poll(&one, 1, 0) > 0;
  };
  for (std::size_t i = 0;
       i < 4096 && available(launch.output()) && drain(launch.output(), take_output); ++i) {
  }
  for (std::size_t i = 0;
       i < 4096 && available(launch.channel()) && drain(launch.channel(), take_message); ++i) {
  }
  ended.output = output.all();

  if (!ended.limit.empty()) {
    ended.how = Ended::How::over_limit;
  } else if (asked_for_dump) {
    ended.how = Ended::How::timed_out;
  } else if (launch.in_namespaces()) {
    launch.told_from_inside(ended);
  } else if (WIFSIGNALED(status)) {
    ended.how = Ended::How::signalled;
    ended.status = WTERMSIG(status);
  } else {
    ended.how = Ended::How::exited;
    ended.status = WEXITSTATUS(status);
  }
  if (!failure.empty() && WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    ended.how = Ended::How::not_started;
    ended.why_not_started = failure;
  }
  return ended;
}

int run_in_front(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = arguments;
  const std::vector<char*> argv = pointers_to(words);
  sigset_t signals;
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigfillset(&signals);
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&attributes, &signals);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  // Ctrl-\ goes to both of us.
  using Handler = void (*)(int);
  const Handler quit = std::signal(SIGQUIT, SIG_IGN);
  pid_t child = 0;
  in_front().store(kSomebody);
  const int error = ::posix_spawnp(&child, argv[0], nullptr, &attributes, argv.data(), ::environ);
  ::posix_spawnattr_destroy(&attributes);
  int status = 0;
  if (error == 0) {
    in_front().store(child);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  in_front().store(0);
  (void)std::signal(SIGQUIT, quit);
  if (error != 0) {
    throw wrong_use(arguments.front() + " cannot be started: " + std::strerror(error));
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void become(std::vector<std::string> arguments) {
  const std::vector<char*> argv = pointers_to(arguments);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::execvp(argv[0], argv.data());
}

void kill_children_when_interrupted(std::function<void()> farewell) {
  static const sigset_t set = interruptions();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([farewell = std::move(farewell)] {
    int number = 0;
    for (;;) {
      if (::sigwait(&set, &number) != 0) {
        continue;
      }
      const pid_t front = in_front().load();
      if (front == 0) {
        break;
      }
      // The terminal sends SIGINT to everybody itself.
      if (number != SIGINT && front != kSomebody) {
        (void)::kill(front, number);
      }
    }
    // The lock is kept: from here on nothing can be started.
    groups().lock.lock();
    // Builds first get the chance to remove the half-written file that they are at.
    for (const pid_t group : groups().alive) {
      (void)::kill(-group, SIGTERM);
    }
    const Clock::time_point until = Clock::now() + std::chrono::seconds(1);
    for (const pid_t group : groups().alive) {
      while (!has_ended(group) && Clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      (void)::kill(-group, SIGKILL);
    }
    farewell();
    ::_exit(128 + number);
  }).detach();
}

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    all.emplace_back(*entry);
  }
  return all;
}

bool program_exists(const std::string& name) {
  const char* path = std::getenv("PATH");
  const std::vector<std::string> folders = split(path != nullptr ? path : "/usr/bin:/bin", ':');
  return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
    return ::access((folder + "/" + name).c_str(), X_OK) == 0;
  });
}

unsigned processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return 1;
  }
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace goro::grader
