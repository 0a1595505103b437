#include "trace_json.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>

namespace goro::grader {

namespace {

using trace::Kind;

struct Track {
  int process = 0;
  std::int64_t thread = 0;
};

// One JSON object a line.
class Writer {
 public:
  explicit Writer(std::ostream& out) : out_(out) { out_ << "{\"traceEvents\":[\n"; }

  void finish() { out_ << "\n],\"displayTimeUnit\":\"ns\"}\n"; }

  // `args` is the inside of a JSON object, or empty.
  void slice(const Track& track, const std::string& name, double from, double to,
             const std::string& args) {
    begin('X', track, from);
    out_ << ",\"dur\":" << microseconds(std::max(to - from, 0.0)) << ",\"name\":\"" << name << '"';
    end(args);
  }

  void instant(const Track& track, const std::string& name, double at) {
    begin('i', track, at);
    out_ << ",\"s\":\"t\",\"name\":\"" << name << '"';
    end("");
  }

  void arrow(const Track& from, double left, const Track& to, double arrived) {
    ++arrows_;
    begin('s', from, left);
    out_ << R"(,"cat":"ready","name":"ready","id":)" << arrows_;
    end("");
    begin('f', to, arrived);
    out_ << R"(,"cat":"ready","name":"ready","bp":"e","id":)" << arrows_;
    end("");
  }

  void counter(int process, const std::string& name, double at, const std::string& values) {
    begin('C', {process, 0}, at);
    out_ << ",\"name\":\"" << name << '"';
    end(values);
  }

  // How a process or a thread is called, and its place among the others.
  void name(const char* what, const Track& track, const std::string& text) {
    begin('M', track, 0);
    out_ << ",\"name\":\"" << what << "_name\"";
    end("\"name\":" + nlohmann::json(text).dump());
    begin('M', track, 0);
    out_ << ",\"name\":\"" << what << "_sort_index\"";
    end("\"sort_index\":" +
        std::to_string(std::string(what) == "process" ? track.process : track.thread));
  }

 private:
  static std::string microseconds(double ns) {
    char text[40];
    std::snprintf(text, sizeof(text), "%.3f", ns / 1000);
    return text;
  }

  void begin(char phase, const Track& track, double at) {
    if (!first_) out_ << ",\n";
    first_ = false;
    out_ << "{\"ph\":\"" << phase << "\",\"pid\":" << track.process << ",\"tid\":" << track.thread
         << ",\"ts\":" << microseconds(at);
  }

  void end(const std::string& args) {
    if (!args.empty()) out_ << ",\"args\":{" << args << '}';
    out_ << '}';
  }

  std::ostream& out_;
  bool first_ = true;
  std::size_t arrows_ = 0;
};

enum class State { none, runnable, running, syscall, waiting };
constexpr std::size_t kStates = 5;

struct Goroutine {
  State state = State::none;
  // Who made it runnable, where and when; if it was a goroutine.
  bool has_waker = false;
  Track waker;
  double woken = 0;
};

constexpr std::int64_t kNobody = -1;

struct Thread {
  std::uint64_t g = 0;  // 0: none
  double g_since = 0;
  std::int64_t p = kNobody;
  double p_since = 0;  // what P shows, since then
  bool in_call = false;
  double call_since = 0;
  const char* rests = nullptr;
  double rests_since = 0;
};

std::string name_of(std::uint64_t g) {
  return "G" + std::to_string(g);
}

// Turns one run into tracks.
class Picture {
 public:
  Picture(const TraceFile& file, std::size_t number, Writer& out)
      : file_(file), run_(file.runs[number]), out_(out) {
    ps_ = static_cast<int>(2 * number) + 1;
    ms_ = ps_ + 1;
    const std::string which =
        file.runs.size() > 1 ? " of run " + std::to_string(number + 1) : std::string();
    out_.name("process", {ps_, 0}, "Ps" + which);
    out_.name("process", {ms_, 0}, "Ms" + which);
    for (std::uint32_t p = 0; p < run_.procs; ++p) name_p(p);
    // A screen shows no more of them.
    between_counts_ = (run_.last_ns - run_.first_ns) / 20'000;
  }

  void draw() {
    for (const TraceEvent& event : run_.events) draw(event);
    for (auto& [id, thread] : threads_) close(id, thread);
    count(run_.last_ns, true);
  }

 private:
  [[nodiscard]] Track on_m(std::int64_t m) const { return {ms_, m}; }
  [[nodiscard]] Track on_p(std::int64_t p) const { return {ps_, p}; }

  void name_p(std::int64_t p) {
    if (holders_.emplace(p, kNobody).second) {
      out_.name("thread", on_p(p), "P" + std::to_string(p));
    }
  }

  [[nodiscard]] std::string why(const TraceEvent& event) const {
    switch (event.kind) {
      case Kind::parks:
        return event.argument < file_.reasons.size() && !file_.reasons[event.argument].empty()
                   ? file_.reasons[event.argument]
                   : "parked";
      case Kind::yields:
        return "yields";
      case Kind::preempted:
        return "preempted";
      case Kind::requeued:
        return "no P after a system call";
      default:
        return "ends";
    }
  }

  void become(std::uint64_t g, State state) {
    Goroutine& goroutine = goroutines_[g];
    --counts_[static_cast<std::size_t>(goroutine.state)];
    goroutine.state = state;
    ++counts_[static_cast<std::size_t>(state)];
    if (state == State::none) goroutines_.erase(g);
  }

  void count(double now, bool at_all_costs) {
    if (!at_all_costs && (now - counted_ < between_counts_ || counts_ == shown_)) return;
    counted_ = now;
    shown_ = counts_;
    const auto of = [this](State state) {
      return std::to_string(counts_[static_cast<std::size_t>(state)]);
    };
    out_.counter(ps_, "goroutines", now,
                 "\"runnable\":" + of(State::runnable) + ",\"running\":" + of(State::running) +
                     ",\"syscall\":" + of(State::syscall) + ",\"waiting\":" + of(State::waiting));
  }

  // What P shows of this thread ends here.
  void end_on_p(Thread& thread, const std::string& name, double now, const std::string& args) {
    if (thread.p == kNobody) return;
    double& drawn = drawn_[thread.p];
    const double from = std::max(thread.p_since, drawn);
    if (now > from || thread.p_since >= drawn) {
      out_.slice(on_p(thread.p), name, from, std::max(now, from), args);
      drawn = std::max(now, from);
    }
  }

  // Where the thread's present doing shows, for instants and arrows.
  [[nodiscard]] Track place_of(std::int64_t m, const Thread& thread) const {
    return thread.g != 0 && !thread.in_call && thread.p != kNobody ? on_p(thread.p) : on_m(m);
  }

  void take_p(std::int64_t m, Thread& thread, std::int64_t p, double now) {
    name_p(p);
    std::int64_t& holder = holders_[p];
    if (holder == m && thread.p == p) return;
    give_up_p(thread, now);
    if (holder != kNobody && holder != m) give_up_p(threads_[holder], now);
    holders_[p] = m;
    thread.p = p;
    thread.p_since = now;
  }

  void give_up_p(Thread& thread, double now) {
    if (thread.p == kNobody) return;
    if (thread.g != 0) {
      end_on_p(thread, name_of(thread.g) + (thread.in_call ? " syscall" : ""), now,
               R"("stops":"loses the P")");
    }
    holders_[thread.p] = kNobody;
    thread.p = kNobody;
  }

  void start(const TraceEvent& event, Thread& thread) {
    if (thread.g != 0) stop(event.m, thread, "", event.ns);
    thread.g = event.id;
    thread.g_since = thread.p_since = event.ns;
    Goroutine& goroutine = goroutines_[event.id];
    if (goroutine.has_waker && thread.p != kNobody) {
      out_.arrow(goroutine.waker, goroutine.woken, on_p(thread.p), event.ns);
    }
    goroutine.has_waker = false;
    become(event.id, State::running);
  }

  void stop(std::int64_t m, Thread& thread, const std::string& reason, double now) {
    if (thread.g == 0) return;
    if (thread.in_call) end_call(m, thread, now);
    const std::string args = "\"goroutine\":" + std::to_string(thread.g) +
                             (reason.empty() ? "" : ",\"stops\":" + nlohmann::json(reason).dump());
    out_.slice(on_m(m), name_of(thread.g), thread.g_since, now, args);
    end_on_p(thread, name_of(thread.g), now, args);
    thread.g = 0;
  }

  void end_call(std::int64_t m, Thread& thread, double now) {
    out_.slice(on_m(m), "syscall", thread.call_since, now, "");
    end_on_p(thread, name_of(thread.g) + " syscall", now, "");
    thread.in_call = false;
    thread.p_since = now;
  }

  void end_rest(std::int64_t m, Thread& thread, double now) {
    if (thread.rests != nullptr) out_.slice(on_m(m), thread.rests, thread.rests_since, now, "");
    thread.rests = nullptr;
  }

  void close(std::int64_t m, Thread& thread) {
    const double end = run_.last_ns;
    end_rest(m, thread, end);
    stop(m, thread, run_.cut_off ? "the process ends" : "the run ends", end);
  }

  void made_runnable(const TraceEvent& event, const Thread& thread) {
    Goroutine& goroutine = goroutines_[event.id];
    const Track place = place_of(event.m, thread);
    goroutine.has_waker = thread.g != 0;
    goroutine.waker = place;
    goroutine.woken = event.ns;
    out_.instant(place, (event.kind == Kind::created ? "go " : "ready ") + name_of(event.id),
                 event.ns);
    become(event.id, State::runnable);
  }

  void rest(const TraceEvent& event, Thread& thread, const char* name) {
    give_up_p(thread, event.ns);
    thread.rests = name;
    thread.rests_since = event.ns;
  }

  void draw(const TraceEvent& event) {
    Thread& thread = threads_[event.m];
    const double now = event.ns;
    switch (event.kind) {
      case Kind::m_begins:
        out_.name("thread", on_m(event.m),
                  "M" + std::to_string(event.m) + (event.argument != 0 ? " (sysmon)" : ""));
        break;
      case Kind::m_ends:
        end_rest(event.m, thread, now);
        give_up_p(thread, now);
        break;
      case Kind::m_sleeps:
        rest(event, thread, "sleeps");
        break;
      case Kind::m_polls:
        rest(event, thread, "polls");
        break;
      case Kind::m_wakes:
        end_rest(event.m, thread, now);
        break;
      case Kind::world_stops:
        world_stopped_ = now;
        break;
      case Kind::world_starts:
        out_.slice(on_m(event.m), "world stopped", world_stopped_, now, "");
        break;
      case Kind::p_taken:
        take_p(event.m, thread, static_cast<std::int64_t>(event.id), now);
        break;
      case Kind::p_length:
        out_.counter(ps_, "LRQ of P" + std::to_string(event.id), now,
                     "\"length\":" + std::to_string(event.number));
        break;
      case Kind::grq_length:
        out_.counter(ps_, "GRQ", now, "\"length\":" + std::to_string(event.number));
        break;
      case Kind::created:
      case Kind::readied:
        made_runnable(event, thread);
        break;
      case Kind::starts:
        start(event, thread);
        break;
      case Kind::calls:
        end_on_p(thread, name_of(event.id), now, R"("stops":"system call")");
        thread.in_call = true;
        thread.call_since = thread.p_since = now;
        become(event.id, State::syscall);
        break;
      case Kind::returns:
        if (thread.in_call) end_call(event.m, thread, now);
        become(event.id, State::running);
        break;
      case Kind::parks:
        out_.instant(place_of(event.m, thread), "parks: " + why(event), now);
        stop(event.m, thread, why(event), now);
        become(event.id, State::waiting);
        break;
      case Kind::requeued:
      case Kind::yields:
      case Kind::preempted:
        stop(event.m, thread, why(event), now);
        become(event.id, State::runnable);
        break;
      case Kind::ends:
        stop(event.m, thread, why(event), now);
        become(event.id, State::none);
        break;
      default:
        break;
    }
    count(now, false);
  }

  const TraceFile& file_;
  const TraceRun& run_;
  Writer& out_;
  int ps_ = 0;
  int ms_ = 0;
  std::map<std::int64_t, Thread> threads_;
  std::map<std::int64_t, std::int64_t> holders_;  // of each P
  std::map<std::int64_t, double> drawn_;          // so far is each P's track
  std::unordered_map<std::uint64_t, Goroutine> goroutines_;
  std::array<std::int64_t, kStates> counts_{};  // of goroutines in each state
  std::array<std::int64_t, kStates> shown_{};
  double counted_ = 0;
  double between_counts_ = 0;
  double world_stopped_ = 0;
};

}  // namespace

TraceSummary write_trace_json(const TraceFile& file, std::ostream& out) {
  Writer writer(out);
  for (std::size_t i = 0; i < file.runs.size(); ++i) {
    Picture(file, i, writer).draw();
  }
  writer.finish();
  return summary_of(file);
}

}  // namespace goro::grader
