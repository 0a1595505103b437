// What an edge costs, and a look at descriptors that are ready. At one P; nothing waits.
#include <benchmark/benchmark.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "contracts/model.h"
#include "contracts/netpoll.h"
#include "contracts/services/goroutine.h"
#include "goro/goro.h"
#include "testing/bench_at_one_p.h"

namespace {

constexpr int kTimes = 100;
constexpr int kDescriptors = 64;

// An edge comes before somebody waits for it, who then need not park.
void BM_EdgeIsKeptAndTaken(benchmark::State& state) {
  goro::PollDesc pd;
  for (auto _ : state) {
    for (int i = 0; i < kTimes; ++i) {
      benchmark::DoNotOptimize(goro::netpoll_unblock(&pd, goro::PollMode::read, true));
      benchmark::DoNotOptimize(goro::netpoll_block(&pd, goro::PollMode::read));
    }
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_EdgeIsKeptAndTaken);

// 64 descriptors have something to tell, and one look takes it all. (To make them tell it costs a
// system call for each; that is a part of the figure.)
void BM_LookAtReadyDescriptors(benchmark::State& state) {
  std::array<goro::PollDesc*, kDescriptors> descs{};
  goro::systemstack([&] {
    for (goro::PollDesc*& pd : descs) {
      const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
      if (fd < 0 || goro::poll_open(fd, &pd) != 0) std::abort();
    }
  });
  for (auto _ : state) {
    goro::systemstack([&] {
      for (const goro::PollDesc* pd : descs) {
        const std::uint64_t one = 1;
        if (::write(pd->fd, &one, sizeof(one)) != sizeof(one)) std::abort();
      }
      std::int32_t count = 0;
      goro::netpoll(0, &count);
      for (goro::PollDesc* pd : descs) goro::poll_reset(pd, goro::PollMode::read);
    });
  }
  goro::systemstack([&] {
    for (goro::PollDesc* pd : descs) {
      const int fd = pd->fd;
      goro::poll_unblock(pd);
      goro::poll_close(pd);
      ::close(fd);
    }
  });
  state.SetItemsProcessed(state.iterations() * kDescriptors);
}
BENCHMARK(BM_LookAtReadyDescriptors);

}  // namespace

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
