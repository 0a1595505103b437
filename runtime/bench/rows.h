// What is measured, of whom, at which size, and what has to hold.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace goro::bars {

enum class Who { goro, go, boost, threads, raw };
inline constexpr std::size_t kWhos = 5;
inline constexpr std::array<Who, kWhos> kAll{Who::goro, Who::go, Who::boost, Who::threads,
                                             Who::raw};
const char* name_of(Who who);

// A number for each of them; what nobody has is 0.
template <typename T>
struct Each {
  std::array<T, kWhos> of{};

  T& operator[](Who who) { return of[static_cast<std::size_t>(who)]; }
  const T& operator[](Who who) const { return of[static_cast<std::size_t>(who)]; }
};

// goro's figure divided by a peer's is at most a limit; `against` goro: its own figure is.
struct Bar {
  Who against = Who::go;
  double limit = 1;
};

// One line of the table: the figures of every round.
struct Row {
  std::string name;
  std::string unit;
  std::string workload;
  int procs = 1;
  Each<long> sizes;
  std::vector<Bar> bars;
  std::vector<Each<double>> rounds;

  [[nodiscard]] bool measured(Who who) const;  // in every round
  [[nodiscard]] double median(Who who) const;
  // goro's figures divided by a peer's, each of one round.
  [[nodiscard]] std::vector<double> ratios(Who who) const;
  // Nothing to hold where somebody was not measured.
  [[nodiscard]] bool judged(const Bar& bar) const;
  [[nodiscard]] bool holds(const Bar& bar) const;
  [[nodiscard]] bool all_hold() const;
};

// A part of a round: a workload that fills one row or several.
struct Measurement {
  std::string part;
  std::string workload;
  int procs = 1;
  Each<long> sizes;
  std::vector<Row> rows;
  int times = 1;  // in each round
};

// In the order of the table. `procs`: how many processors "all" are. `quick`: a hundredth of the
// work, so that every program is seen to run.
std::vector<Measurement> everything(int procs, bool quick);

// Rows made of others: what a goroutine costs in a crowd of a million, against one of 10,000.
std::vector<Row> growth(const std::vector<Measurement>& all);

// Is it meant by one of those names, which are of parts or of workloads? No names mean all.
bool is_meant(const Measurement& measurement, const std::vector<std::string>& names);

double median(std::vector<double> values);

}  // namespace goro::bars
