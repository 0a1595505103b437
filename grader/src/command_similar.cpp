#include <map>

#include "batch_plan.h"
#include "commands.h"
#include "process.h"
#include "similar.h"
#include "starter.h"
#include "submission.h"
#include "temporary_folder.h"
#include "text.h"

namespace goro::grader {

namespace {

constexpr const char* detector = "sim_c++";

struct Handed {
  std::string name;
  Submission submission;
};

// Those of the class, and what the course itself would hand in.
std::vector<Handed> submissions_of(const Course& course, const fs::path& place,
                                   Terminal& terminal) {
  std::vector<std::string> left_out;
  const std::vector<BatchEntry> entries = find_submissions(place, course, {}, left_out);
  for (const std::string& name : left_out) {
    terminal.print(terminal.style().warning("Left out: ") + printable(name));
  }
  std::vector<Handed> all;
  for (const BatchEntry& entry : entries) {
    try {
      all.push_back({entry.name, Submission::open(entry.source, course)});
    } catch (const Problem& problem) {
      terminal.print(terminal.style().warning("Left out: ") + entry.name + ": " + problem.what());
    }
  }
  if (all.size() < 2) {
    throw wrong_use(place.string() + " holds " + count(all.size(), "submission") +
                    "; similarity takes two");
  }
  if (fs::exists(course.root() / "solutions")) {
    all.push_back({"the solutions", Submission(course.root() / "solutions", course)});
  }
  return all;
}

class Similar {
 public:
  Similar(const Course& course, const SimilarOptions& options, Terminal& terminal)
      : course_(course), options_(options), terminal_(terminal) {}

  std::vector<SimilarPair> run(const std::vector<Handed>& all) {
    for (const Lab* lab : course_.select(options_.labs)) {
      if (lab->slot) {
        terminal_.progress("lab " + lab->number_text());
        compare(*lab, all);
      }
    }
    std::vector<SimilarPair> pairs;
    for (const auto& [key, pair] : pairs_) {
      pairs.push_back(pair);
    }
    sort_by_suspicion(pairs);
    return pairs;
  }

 private:
  void compare(const Lab& lab, const std::vector<Handed>& all) {
    std::map<std::string, std::string> starters;
    for (const std::string& file : lab.slot->files) {
      // Assembly can hardly be written in two ways.
      if (!file.ends_with(".S")) {
        starters[file] = starter_of(course_, fs::path("labs") / lab.folder / file);
      }
    }
    const TemporaryFolder folder(course_.build() / "similar");
    std::vector<std::string> arguments{detector, "-p", "-e", "-a",
                                       "-s",     "-T", "-t", std::to_string(options_.at_least)};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const SlotFiles files = all[i].submission.take(lab);
      std::string own;
      for (const auto& [file, content] : files.contents) {
        if (const auto starter = starters.find(file); starter != starters.end()) {
          own += own_lines(content, starter->second);
        }
      }
      const std::string name = std::to_string(i) + ".cpp";
      write_file_atomically(folder.path() / name, printable(own));
      arguments.push_back(name);
    }
    const Ended ended =
        run_process({arguments, folder.path(), {}},
                    {.time = std::chrono::minutes(30), .output_bytes = std::size_t{64} << 20});
    if (!ended.ok()) {
      throw broken(ended.how == Ended::How::not_started
                       ? std::string(detector) + " is missing; apt-get install similarity-tester"
                       : std::string(detector) + " failed: " +
                             trim_right(printable(head_and_tail(ended.output, 1, 0))));
    }
    for (const Likeness& likeness : read_likenesses(ended.output)) {
      SimilarPair& pair = pairs_[{likeness.first, likeness.second}];
      pair.first = all[likeness.first].name;
      pair.second = all[likeness.second].name;
      pair.labs.emplace_back(lab.number_text(), likeness.percent);
    }
  }

  const Course& course_;
  const SimilarOptions& options_;
  Terminal& terminal_;
  std::map<std::pair<std::size_t, std::size_t>, SimilarPair> pairs_;
};

}  // namespace

ExitStatus similar(const Course& course, const SimilarOptions& options, Terminal& terminal) {
  const std::vector<Handed> all = submissions_of(course, options.place, terminal);
  std::error_code error;
  fs::create_directories(course.build(), error);  // if it cannot, a temporary folder says so
  terminal.phase("comparing " + count(all.size(), "submission"));
  const std::vector<SimilarPair> pairs = Similar(course, options, terminal).run(all);
  for (const SimilarPair& pair : pairs) {
    std::vector<std::string> labs;
    for (const auto& [lab, percent] : pair.labs) {
      labs.push_back("lab " + lab + " " + std::to_string(percent) + " %");
    }
    terminal.print(terminal.style().strong(pair.first + " and " + pair.second) + ": " +
                   join(labs, ", "));
  }
  terminal.print(count(pairs.size(), "pair") + " with at least " +
                 std::to_string(options.at_least) +
                 " % in common, the starters left out. A short lab has few right answers: look "
                 "before you judge.");
  return ExitStatus::all_points;
}

}  // namespace goro::grader
