#include "trace_file.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <queue>
#include <utility>

#include "problem.h"

namespace goro::grader {

namespace {

using trace::Kind;

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  bool take(T* value) {
    if (rest_.size() < sizeof(T)) return false;
    std::memcpy(value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return true;
  }

 private:
  std::string_view rest_;
};

struct Buffer {
  trace::BufferHeader header;
  std::vector<trace::Record> records;
};

// What one M did, from all of its buffers.
class Stream {
 public:
  // `clock`: the run's, for ticks.
  Stream(std::int64_t m, const trace::RunHeader& clock, double origin)
      : m_(m), clock_(clock), origin_(origin) {}

  void add(const Buffer& buffer) {
    trace::unfold(buffer.records.data(), buffer.records.size(),
                  [this](const trace::Record& record) {
                    if (record.kind() == Kind::time) {
                      ticks_ = record.when;
                      place(time());
                      fresh_ = true;
                      return;
                    }
                    if (trace::is_ahead(record.kind())) {
                      push(record.kind(), record.argument(), record.id(), record.number());
                      with_next_.back() = true;
                      return;
                    }
                    const bool timed = record.ticks() != 0 || fresh_;
                    fresh_ = false;
                    ticks_ += record.ticks();
                    add(record);
                    if (timed) place(time());
                  });
  }

  std::vector<TraceEvent> finish() {
    for (std::size_t i = placed_; i < events_.size(); ++i) events_[i].ns = last_;
    return std::move(events_);
  }

 private:
  [[nodiscard]] double time() const {
    const double span = static_cast<double>(clock_.last_ticks - clock_.first_ticks);
    const double scale =
        span > 0 ? static_cast<double>(clock_.last_ns - clock_.first_ns) / span : 1;
    // Signed: clocks of two processors may differ a little.
    const auto since = static_cast<std::int64_t>(ticks_ - clock_.first_ticks);
    return static_cast<double>(clock_.first_ns) - origin_ + static_cast<double>(since) * scale;
  }

  // The last event happened at `now`, those before it whose time was not taken evenly between.
  void place(double now) {
    now = std::max(now, last_);
    if (unplaced_ == 0) {
      last_ = now;
      return;
    }
    double record = 1;
    for (std::size_t i = placed_; i < events_.size(); ++i) {
      events_[i].ns = last_ + (now - last_) * record / unplaced_;
      if (!with_next_[i]) record += 1;
    }
    placed_ = events_.size();
    unplaced_ = 0;
    last_ = now;
  }

  void add(const trace::Record& record) {
    const Kind kind = record.kind();
    std::uint32_t number = record.number();
    unplaced_ += 1;
    if (trace::is_hand_over(kind)) {
      push(Kind::readied, 0, record.id(), number);
      with_next_.back() = true;
      number += 1;
    }
    if (trace::is_switch(kind)) {
      if (running_ != 0) {
        push(trace::stop_of(kind), record.argument(), running_, 0);
        with_next_.back() = true;
      }
      push(Kind::starts, 0, record.id(), number);
    } else {
      push(kind, record.argument(), record.id(), number);
    }
  }

  void push(Kind kind, std::uint8_t argument, std::uint64_t id, std::uint32_t number) {
    if (trace::is_stop(kind)) number = id == running_ ? number_ : 0;
    events_.push_back({0, m_, kind, argument, id, number});
    with_next_.push_back(false);
    if (kind == Kind::starts) running_ = id;
    if (trace::is_of_goroutine(kind) && id == running_) number_ = number;
    if (trace::is_stop(kind) || kind == Kind::requeued) running_ = 0;
  }

  std::int64_t m_;
  const trace::RunHeader& clock_;
  double origin_;
  std::uint64_t ticks_ = 0;
  bool fresh_ = false;  // the clock was told just now
  double last_ = 0;
  std::size_t placed_ = 0;       // so many events have their times
  double unplaced_ = 0;          // records whose events have none
  std::vector<bool> with_next_;  // of each event: it is in the same record as the next one
  std::uint64_t running_ = 0;    // the M's goroutine
  std::uint32_t number_ = 0;     // its last
  std::vector<TraceEvent> events_;
};

// One order of all streams.
class Merge {
 public:
  explicit Merge(std::vector<std::vector<TraceEvent>> streams) : streams_(std::move(streams)) {
    std::size_t total = 0;
    for (const auto& stream : streams_) total += stream.size();
    there_.reserve(total);
    for (const auto& stream : streams_) {
      for (const TraceEvent& event : stream) {
        if (trace::is_of_goroutine(event.kind)) there_.push_back(step(event));
      }
    }
    std::sort(there_.begin(), there_.end());
    next_.resize(streams_.size());
    m_time_.resize(streams_.size());
    order_.reserve(total);
  }

  std::vector<TraceEvent> run() {
    for (std::size_t i = 0; i < streams_.size(); ++i) offer(i);
    while (!heads_.empty() || !held_.empty()) {
      if (heads_.empty()) {
        // They wait for each other: what they wait for is in the file, but out of place.
        const std::size_t any = held_.begin()->second;
        held_.erase(held_.begin());
        take(any);
        continue;
      }
      const std::size_t i = heads_.top().second;
      heads_.pop();
      take(i);
    }
    return std::move(order_);
  }

 private:
  // A goroutine, and how far it is: twice its number, and one more for a stop.
  using Step = std::pair<std::uint64_t, std::uint64_t>;

  static Step step(const TraceEvent& event) {
    return {event.id, 2 * std::uint64_t{event.number} + (trace::is_stop(event.kind) ? 1 : 0)};
  }

  [[nodiscard]] bool is_there(const Step& step) const {
    return std::binary_search(there_.begin(), there_.end(), step);
  }

  // What came before: the stop after the number before, or that number itself.
  [[nodiscard]] Step before(const TraceEvent& event) const {
    Step step = Merge::step(event);
    step.second -= 1;
    if (!trace::is_stop(event.kind) && !is_there(step)) step.second -= 1;
    return step;
  }

  void offer(std::size_t i) {
    if (next_[i] == streams_[i].size()) return;
    const TraceEvent& event = streams_[i][next_[i]];
    if (trace::is_of_goroutine(event.kind)) {
      const Step needed = before(event);
      const auto last = last_.find(event.id);
      const bool done = last != last_.end() && last->second.step >= needed.second;
      if (!done && is_there(needed) && held_.emplace(needed, i).second) return;
    }
    heads_.emplace(event.ns, i);
  }

  void take(std::size_t i) {
    TraceEvent event = streams_[i][next_[i]++];
    event.ns = std::max(event.ns, m_time_[i]);
    if (trace::is_of_goroutine(event.kind)) {
      Last& last = last_[event.id];
      event.ns = std::max(event.ns, last.ns);
      last = {step(event).second, event.ns};
    }
    m_time_[i] = event.ns;
    order_.push_back(event);
    if (trace::is_of_goroutine(event.kind)) {
      if (const auto held = held_.find(step(event)); held != held_.end()) {
        const std::size_t other = held->second;
        held_.erase(held);
        heads_.emplace(std::max(event.ns, streams_[other][next_[other]].ns), other);
      }
    }
    offer(i);
  }

  struct Last {
    std::uint64_t step = 0;
    double ns = 0;
  };
  using Head = std::pair<double, std::size_t>;

  std::vector<std::vector<TraceEvent>> streams_;
  std::vector<Step> there_;
  std::vector<std::size_t> next_;
  std::vector<double> m_time_;
  std::map<std::uint64_t, Last> last_;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads_;
  std::map<Step, std::size_t> held_;  // streams that wait for that step
  std::vector<TraceEvent> order_;
};

bool read_buffer(Bytes& bytes, Buffer* buffer) {
  if (!bytes.take(&buffer->header)) return false;
  for (std::uint32_t i = 0; i < buffer->header.count; ++i) {
    trace::Record record;
    if (!bytes.take(&record)) return false;
    buffer->records.push_back(record);
  }
  return true;
}

TraceRun make_run(const trace::RunHeader& header, std::vector<Buffer> buffers, double origin) {
  std::sort(buffers.begin(), buffers.end(), [](const Buffer& a, const Buffer& b) {
    return std::pair(a.header.m, a.header.serial) < std::pair(b.header.m, b.header.serial);
  });
  std::vector<std::vector<TraceEvent>> streams;
  for (std::size_t i = 0; i < buffers.size();) {
    const std::int64_t m = buffers[i].header.m;
    Stream stream(m, header, origin);
    for (; i < buffers.size() && buffers[i].header.m == m; ++i) stream.add(buffers[i]);
    streams.push_back(stream.finish());
  }
  TraceRun run;
  run.first_ns = static_cast<double>(header.first_ns) - origin;
  run.last_ns = static_cast<double>(header.last_ns) - origin;
  run.procs = header.procs;
  run.lost = header.lost;
  run.cut_off = header.cut_off != 0;
  run.events = Merge(std::move(streams)).run();
  return run;
}

}  // namespace

TraceSummary summary_of(const TraceFile& file) {
  TraceSummary summary;
  for (const TraceRun& run : file.runs) {
    ++summary.runs;
    summary.events += run.events.size();
    summary.goroutines += static_cast<std::size_t>(
        std::count_if(run.events.begin(), run.events.end(),
                      [](const TraceEvent& event) { return event.kind == Kind::created; }));
    summary.lost += run.lost;
    summary.cut_off = summary.cut_off || run.cut_off;
  }
  return summary;
}

TraceFile read_trace(const fs::path& path) {
  const std::string content = read_file(path);
  Bytes bytes(content);
  trace::FileHeader header{};
  if (!bytes.take(&header) || std::memcmp(header.magic, trace::kMagic, sizeof(header.magic)) != 0) {
    throw wrong_use(path.string() + " is no trace of goro's");
  }
  TraceFile file;
  for (std::uint32_t i = 0; i < header.reasons; ++i) {
    char word[trace::kWordSize + 1] = {};
    char* const at = word;
    struct Word {
      char text[trace::kWordSize];
    } taken;
    if (!bytes.take(&taken)) break;
    std::memcpy(at, taken.text, sizeof(taken.text));
    file.reasons.emplace_back(word);
  }
  double origin = 0;
  for (trace::RunHeader run{}; bytes.take(&run) && run.magic == trace::kRunMagic;) {
    if (file.runs.empty()) origin = static_cast<double>(run.first_ns);
    std::vector<Buffer> buffers;
    for (std::uint32_t i = 0; i < run.buffers; ++i) {
      const bool whole = read_buffer(bytes, &buffers.emplace_back());
      if (!whole) break;
    }
    file.runs.push_back(make_run(run, std::move(buffers), origin));
  }
  return file;
}

}  // namespace goro::grader
