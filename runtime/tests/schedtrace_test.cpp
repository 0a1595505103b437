// GORO_DEBUG=schedtrace: Go's lines.
#include <regex.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "frame/schedtrace.h"
#include "frame/settings.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"

namespace {

using goro::testing::ChildEnd;
using goro::testing::in_child;

// Twenty goroutines block at once, with GORO_DEBUG set.
ChildEnd traced(const char* debug) {
  return in_child([debug] {
    setenv("GORO_DEBUG", debug, 1);
    goro::settings_read_again();
    goro::run(
        [] {
          goro::WaitGroup group;
          std::atomic<int> inside{0};
          for (int i = 0; i < 20; ++i) {
            group.go([in = &inside] {
              goro::system_call([in] {
                in->fetch_add(1);
                while (in->load() < 20) ::usleep(1'000);
                // The next line may have been begun before.
                const std::int64_t before = goro::schedtrace_count();
                while (goro::schedtrace_count() < before + 2) ::usleep(1'000);
              });
            });
          }
          group.wait();
        },
        {.procs = 2});
  });
}

// A whole line of this form (POSIX extended; N stands for a number).
class Form {
 public:
  explicit Form(const std::string& pattern) {
    std::string text = "^";
    for (const char c : pattern) text += c == 'N' ? std::string("[0-9]+") : std::string(1, c);
    text += "$";
    valid_ = regcomp(&compiled_, text.c_str(), REG_EXTENDED | REG_NOSUB) == 0;
    EXPECT_TRUE(valid_) << text;
  }
  Form(const Form&) = delete;
  Form& operator=(const Form&) = delete;
  ~Form() {
    if (valid_) regfree(&compiled_);
  }
  [[nodiscard]] bool matches(const std::string& line) const {
    return valid_ && regexec(&compiled_, line.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_{};
  bool valid_ = false;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Schedtrace, PrintsGosLine) {
  const ChildEnd end = traced("schedtrace=5");
  const Form form(
      R"(SCHED Nms: gomaxprocs=2 idleprocs=N threads=N spinningthreads=N needspinning=[01] idlethreads=N runqueue=N \[N N\])");
  int lines = 0;
  int most_threads = 0;
  for (const std::string& line : lines_of(end.err)) {
    if (line.rfind("SCHED", 0) != 0) continue;
    EXPECT_TRUE(form.matches(line)) << line;
    if (lines++ == 0) {
      EXPECT_EQ(line.rfind("SCHED 0ms: ", 0), 0U) << "the first line is due at once: " << line;
    }
    most_threads = std::max(most_threads, std::stoi(line.substr(line.find("threads=") + 8)));
  }
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_GE(lines, 2) << end.err;
  EXPECT_GE(most_threads, 20) << "twenty calls keep twenty threads:\n" << end.err;
}

TEST(Schedtrace, PrintsEveryPMAndGInDetail) {
  const ChildEnd end = traced("schedtrace=5,scheddetail=1");
  const Form head(
      R"(SCHED Nms: gomaxprocs=2 idleprocs=N threads=N spinningthreads=N needspinning=[01] idlethreads=N runqueue=N gcwaiting=(true|false) nmidlelocked=-?N stopwait=N sysmonwait=(true|false))");
  const Form p(
      R"(  PN: status=[0-4] schedtick=N syscalltick=N m=(N|nil) runqsize=N gfreecnt=N timerslen=N)");
  const Form m(
      R"(  MN: p=(N|nil) curg=(N|nil) mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning=(true|false) blocked=(true|false) lockedg=(N|nil))");
  const Form g(R"(  GN: status=N\([a-zA-Z. ()]*\) m=(N|nil) lockedm=(N|nil))");
  int seen[4] = {};
  for (const std::string& line : lines_of(end.err)) {
    const Form* const forms[] = {&head, &p, &m, &g};
    const char* const starts[] = {"SCHED", "  P", "  M", "  G"};
    for (int i = 0; i < 4; ++i) {
      if (line.rfind(starts[i], 0) != 0) continue;
      ++seen[i];
      EXPECT_TRUE(forms[i]->matches(line)) << line;
    }
  }
  EXPECT_EQ(end.status, 0) << end.err;
  for (const int count : seen) EXPECT_GE(count, 1) << end.err;
}

}  // namespace
