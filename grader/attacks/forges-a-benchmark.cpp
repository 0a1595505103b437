// Writes a benchmark's report with the best of times, wherever it can be written to.
// report: it wrote no benchmark report
// after: BM_PutGet
#include <unistd.h>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace {
[[gnu::constructor]] void attack() {
  const std::string report =
      "{\"benchmarks\":[{\"name\":\"BM_PutGet\",\"run_type\":\"iteration\",\"cpu_time\":0.001,"
      "\"real_time\":0.001,\"time_unit\":\"ns\"}]}";
  const std::string event =
      "{\"nonce\":\"\",\"event\":\"measured\",\"report\":\"" + report + "\"}\n";
  for (int fd = 1; fd < 100; ++fd) {
    (void)!ftruncate(fd, 0);
    (void)!pwrite(fd, report.data(), report.size(), 0);
    (void)!write(fd, event.data(), event.size());
  }
  std::ifstream file("/proc/self/cmdline");
  const std::string words((std::istreambuf_iterator<char>(file)), {});
  constexpr char kOut[] = "--benchmark_out=";
  if (const std::size_t at = words.find(kOut); at != std::string::npos) {
    std::ofstream(words.c_str() + at + std::strlen(kOut)) << report;
  }
  _exit(0);
}
}  // namespace
