#include "report_annotations.h"

#include <vector>

#include "build_errors.h"
#include "report_limits.h"
#include "text.h"

namespace goro::grader {

namespace {

// A command is one line, and in it a percent sign starts an escape.
std::string data(const std::string& text) {
  std::string all = replace_all(printable(text), "%", "%25");
  return replace_all(std::move(all), "\n", "%0A");
}

std::string property(const std::string& text) {
  return replace_all(replace_all(data(text), ":", "%3A"), ",", "%2C");
}

std::string error(const std::optional<Place>& place, const std::string& title,
                  const std::string& message) {
  std::string command = "::error ";
  if (place) {
    command += "file=" + property(place->file) + ",line=" + std::to_string(place->line) + ",";
    if (place->column > 0) {
      command += "col=" + std::to_string(place->column) + ",";
    }
  }
  return command + "title=" + property(title) +
         "::" + data(trim_right(bounded(message, shown_message_bytes))) + "\n";
}

// The submission's function that was innermost when the test broke off.
std::optional<Place> place_of(const Score& score, const TestScore& test) {
  const std::size_t at = test.innermost.rfind(" at ");
  return at == std::string::npos ? std::nullopt
                                 : place_in(score, std::string_view(test.innermost).substr(at + 4));
}

}  // namespace

std::string report_annotations(const Score& score) {
  std::vector<std::string> errors;
  for (const LabScore& lab : score.labs) {
    for (const BuildError& found : build_errors(score, lab)) {
      errors.push_back(error(found.place, lab.lab + " cannot be built", found.message));
    }
  }
  for (const LabScore& lab : score.labs) {
    for (const TestScore* test : lab.most_telling()) {
      if (!test->missing_step && test->status != Status::not_run &&
          test->status != Status::inconclusive) {
        errors.push_back(error(
            place_of(score, *test),
            lab.lab + ": " + test->name + " " + std::string(name_of(test->status)), test->message));
      }
    }
  }
  if (errors.size() > annotations_shown) {
    const std::size_t more = errors.size() - (annotations_shown - 1);
    errors.resize(annotations_shown - 1);
    errors.push_back(error(std::nullopt, "More",
                           count(more, "more error") + "; the job's summary has all of them"));
  }
  return join(errors, "") + "::notice title=Score::" + number(score.score()) + " of " +
         number(score.max_score()) + " points\n";
}

}  // namespace goro::grader
