#include "batch_progress.h"

#include <algorithm>
#include <cmath>

#include "text.h"

namespace goro::grader {

void BatchProgress::news(const std::string& name, const std::string& text) {
  constexpr std::string_view mark = "… ";  // of a phase, where there is no terminal
  if (!text.starts_with(mark)) {
    return;
  }
  const std::lock_guard hold(lock_);
  latest_ = name + ": " + printable(text.substr(mark.size()));
  draw();
}

void BatchProgress::ended(const BatchRecord& record) {
  const std::lock_guard hold(lock_);
  ++done_;
  const Style& style = terminal_.style();
  const bool graded = record.outcome == BatchRecord::Outcome::graded;
  if (!graded || !terminal_.interactive()) {
    const std::string place = std::to_string(total_);
    terminal_.print(
        right(std::to_string(done_), place.size()) + " of " + place + "  " + left(record.name, 24) +
        "  " +
        (graded
             ? number(record.score.score()) + " of " + number(record.score.max_score()) + " points"
             : style.warning(std::string(name_of(record.outcome))) + ": " + record.reason));
  }
  draw();
}

std::size_t BatchProgress::done() const {
  const std::lock_guard hold(lock_);
  return done_;
}

void BatchProgress::draw() {
  constexpr std::size_t columns = 24;
  std::string bar;
  for (std::size_t i = 0; i < columns; ++i) {
    bar += i * total_ < done_ * columns ? "█" : "░";
  }
  std::string line = bar + " " + std::to_string(done_) + " of " + std::to_string(total_);
  if (done_ > 0 && done_ < total_) {
    const double so_far =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    const double left = so_far / static_cast<double>(done_) * static_cast<double>(total_ - done_);
    // No hundredths: it is an estimate.
    line += ", about " + duration(std::max(10.0, std::round(left))) + " left";
  }
  terminal_.progress(line + (latest_.empty() ? "" : "; " + latest_));
}

}  // namespace goro::grader
