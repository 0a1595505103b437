#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "commands.h"
#include "edition.h"
#include "grading.h"
#include "process_table.h"
#include "submission.h"
#include "text.h"
#include "unique_fd.h"
#include "workspace.h"

namespace goro::grader {

namespace {

// What attacks are appended to, and the test whose points they are after unless they say another.
constexpr std::string_view attacked_lab = "04-local-run-queue";
constexpr std::string_view attacked_test = "Ring.HoldsExactly256";
constexpr std::string_view canary_text = "nobody may change this\n";
constexpr std::string_view leak = "what must not be read was read";

struct Attack {
  std::string name;
  std::string what;
  std::string code;
  std::string needs;  // what the machine must offer to stop it
  std::string after;  // the test or benchmark whose points it wants
  // What its report must say, one of these: it fails for this reason and no other.
  std::vector<std::string> reports;
  bool whole = false;  // it is the whole slot file, not an addition to the starter's
};

// The first line says what the attack does; "// key: value" below it, what is to be known of it.
Attack parse(const fs::path& file) {
  Attack attack;
  attack.name = file.stem().string();
  attack.after = attacked_test;
  attack.code = read_file(file);
  for (const std::string& line : split_lines(attack.code)) {
    if (!line.starts_with("// ")) {
      break;
    }
    const std::string text = line.substr(3);
    if (attack.what.empty()) {
      attack.what = text;
      continue;
    }
    const std::size_t colon = text.find(": ");
    const std::string key = text.substr(0, colon);
    const std::string value = colon == std::string::npos ? "" : text.substr(colon + 2);
    if (key == "needs" && (value == "namespaces" || value == "another user")) {
      attack.needs = value;
    } else if (key == "takes the place of" && value == "the starter") {
      attack.whole = true;
    } else if (key == "after" && !value.empty()) {
      attack.after = value;
    } else if (key == "report" && !value.empty()) {
      attack.reports.push_back(value);
    } else {
      throw broken(file.string() + ": what is \"" + text + "\"?");
    }
  }
  if (attack.what.empty()) {
    throw broken(file.string() + ": the first line must say what the attack does");
  }
  if (attack.reports.empty()) {
    throw broken(file.string() + ": it needs a line \"// report: \", what its report must say");
  }
  return attack;
}

std::vector<Attack> load(const Course& course, const std::vector<std::string>& wanted) {
  std::vector<Attack> all;
  std::vector<std::string> names;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(course.root() / "grader/attacks")) {
    if (entry.path().extension() != ".cpp") {
      continue;
    }
    Attack attack = parse(entry.path());
    names.push_back(attack.name);
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), attack.name) != wanted.end()) {
      all.push_back(std::move(attack));
    }
  }
  for (const std::string& name : wanted) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string meant = nearest(name, names);
      throw wrong_use("there is no attack \"" + name + "\"" +
                      (meant.empty() ? "" : "; did you mean " + meant + "?"));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Attack& a, const Attack& b) { return a.name < b.name; });
  return all;
}

// A server that is there to be found.
class Server {
 public:
  Server() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), size) != 0 ||
        ::listen(socket_.get(), 16) != 0 ||
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      throw broken("cannot listen on 127.0.0.1");
    }
    port_ = ntohs(at.sin_port);
  }
  [[nodiscard]] unsigned port() const { return port_; }

 private:
  UniqueFd socket_;
  unsigned port_ = 0;
};

class AttackRun {
 public:
  AttackRun(const Course& course, const AttacksOptions& options, Sandbox sandbox)
      : course_(course),
        lab_(course.lab(std::string(attacked_lab))),
        build_(course.build() / options.target.base_preset()),
        canary_(course.build() / "attacks-canary"),
        quiet_file_(std::fopen("/dev/null", "w"), std::fclose),
        quiet_(quiet_file_.get()) {
    grading_.labs = {&lab_};
    grading_.preset = options.target.base_preset();
    grading_.sandbox = sandbox;
    write_file_atomically(canary_, canary_text);
    build_reference();
    configuration_ = read_file(build_ / "CMakeCache.txt");
  }

  // What came of an attack.
  struct Outcome {
    std::string success;  // what it gained or harmed; empty: nothing
    std::string report;   // what the report says of it
  };

  Outcome run(const Attack& attack) {
    const std::string& file = lab_.slot->files.front();
    const Submission starter(course_.root() / "labs", course_);
    std::string code = attack.code;
    for (const auto& [placeholder, value] : std::vector<std::pair<std::string, std::string>>{
             {"@COURSE@", course_.root().string()},
             {"@BUILD@", build_.string()},
             {"@CANARY@", canary_.string()},
             {"@LEAK@", std::string(leak)},
             {"@PORT@", std::to_string(server_.port())}}) {
      code = replace_all(std::move(code), placeholder, value);
    }
    if (!attack.whole) {
      code = starter.take(lab_).contents.at(file) + "\n" + code;
    }
    grading_.only = {attack.after};
    try {
      const Score score = grade(course_, starter.with(lab_, file, code), grading_, quiet_, {});
      if (score.labs.size() != 1 || score.labs[0].tests.size() != 1) {
        return {"the report is not complete", ""};
      }
      return {success_of(score), score.labs[0].tests[0].message};
    } catch (const Problem& problem) {
      return {std::string("it ended the grading: ") + problem.what(), ""};
    }
  }

  // The verdict on honest work, in the same folder.
  std::string run_solution() {
    grading_.only = {std::string(attacked_test)};
    const Score score =
        grade(course_, Submission(course_.root() / "solutions", course_), grading_, quiet_, {});
    return score.all_points() ? "" : score.labs.at(0).tests.at(0).message;
  }

 private:
  // The reference of the attacked slot, which attacks look for, is there to be found.
  void build_reference() {
    Workspace place(course_, grading_.preset, quiet_);
    (void)place.stage(Submission(course_.root() / "solutions", course_));
    place.configure();
    const std::string target = "slot_solution_" + lab_.number_text();
    if (!place.build({target}).empty()) {
      throw broken(target + " does not compile");
    }
  }

  [[nodiscard]] std::string success_of(const Score& score) const {
    const TestScore& test = score.labs[0].tests[0];
    if (score.score() != 0) {
      return "it gained " + number(score.score()) + " points";
    }
    if (test.message != printable(test.message)) {
      return "its report speaks to the terminal";
    }
    if (test.message.find(leak) != std::string::npos) {
      return std::string(leak);
    }
    if (read_file_if_present(canary_) != canary_text ||
        read_file_if_present(build_ / "CMakeCache.txt") != configuration_) {
      return "it changed a file outside";
    }
    for (const ProcessEntry& entry : process_table()) {
      if (entry.parent == ::getpid()) {
        return "it left the process " + std::to_string(entry.id);
      }
      std::error_code error;
      if (fs::read_symlink("/proc/" + std::to_string(entry.id) + "/exe", error) ==
          build_ / "labs" / test_target(lab_, false)) {
        return "it left the process " + std::to_string(entry.id);
      }
    }
    if (!fs::is_empty(build_ / "scratch")) {
      return "it left files in " + (build_ / "scratch").string();
    }
    return {};
  }

  const Course& course_;
  const Lab& lab_;
  fs::path build_;
  fs::path canary_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> quiet_file_;
  Terminal quiet_;
  GradingOptions grading_;
  std::string configuration_;
  Server server_;
};

// Tries attacks one after the other, says what came of each, and counts.
class Trial {
 public:
  Trial(AttackRun& run, Sandbox sandbox, Terminal& terminal)
      : run_(run), sandbox_(sandbox), terminal_(terminal) {}

  void skip(const Attack& attack, const std::string& why) {
    ++skipped_;
    say(style().warning("-"), attack, why);
  }

  void attempt(const Attack& attack) {
    if (!can_be_stopped(attack)) {
      skip(attack, "NOT TRIED: only " + attack.needs + " would stop it");
      return;
    }
    terminal_.progress(attack.name);
    const AttackRun::Outcome outcome = run_.run(attack);
    if (!outcome.success.empty()) {
      wrong(attack, outcome.success);
      return;
    }
    const auto said =
        std::find_if(attack.reports.begin(), attack.reports.end(), [&](const std::string& report) {
          return outcome.report.find(report) != std::string::npos;
        });
    if (said == attack.reports.end()) {
      wrong(attack, "it gained nothing, but its report does not say \"" +
                        join(attack.reports, "\" or \"") + "\":\n" + shortened(outcome.report));
      return;
    }
    ++stopped_;
    say(style().good("✓"), attack, "report: " + line_with(*said, outcome.report));
  }

  void wrong(const Attack& attack, const std::string& why) {
    ++wrong_;
    say(style().bad("✗"), attack, why);
  }

  [[nodiscard]] bool good() const { return wrong_ == 0; }
  [[nodiscard]] std::string summary() const {
    return count(stopped_, "attack") + " gained nothing, " + std::to_string(skipped_) +
           " not tried, " + std::to_string(wrong_) + " not as expected";
  }

 private:
  static std::string shortened(const std::string& report) {
    return indent(head_and_tail(report, 20, 5), "        ");
  }
  static std::string line_with(const std::string& text, const std::string& report) {
    for (const std::string& line : split_lines(report)) {
      if (line.find(text) != std::string::npos) {
        return line.substr(std::min(line.find_first_not_of(' '), line.size()));
      }
    }
    return {};
  }
  [[nodiscard]] bool can_be_stopped(const Attack& attack) const {
    return attack.needs.empty() || sandbox_ == Sandbox::namespaces ||
           (attack.needs == "another user" && unused_user().has_value());
  }
  [[nodiscard]] const Style& style() const { return terminal_.style(); }
  void say(const std::string& mark, const Attack& attack, const std::string& seen) {
    terminal_.print("  " + mark + " " + attack.name + style().quiet("  " + attack.what) +
                    "\n      " + seen);
  }

  AttackRun& run_;
  Sandbox sandbox_;
  Terminal& terminal_;
  std::size_t stopped_ = 0;
  std::size_t skipped_ = 0;
  std::size_t wrong_ = 0;
};

}  // namespace

ExitStatus attacks(const Course& course, const AttacksOptions& options, Terminal& terminal) {
  require_course(course, "attacks");
  const std::vector<Attack> all = load(course, options.names);
  std::string notice;
  const Sandbox sandbox = choose_sandbox(options.sandbox, notice);
  if (!notice.empty()) {
    terminal.print(terminal.style().warning(notice));
  }
  AttackRun run(course, options, sandbox);
  Trial trial(run, sandbox, terminal);
  for (const Attack& attack : all) {
    trial.attempt(attack);
  }
  const std::string honest = run.run_solution();
  if (!honest.empty()) {
    terminal.print(terminal.style().bad("✗") + " the solution does not pass afterwards: " + honest);
  }
  terminal.print("\n" + trial.summary());
  return trial.good() && honest.empty() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
