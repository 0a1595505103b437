#include <array>
#include <thread>

#include "commands.h"
#include "process.h"
#include "text.h"

namespace goro::grader {

namespace {

struct Need {
  std::string_view program;  // or a file, if it starts with /
  std::string_view package;
  std::string_view purpose;
  bool required;
};

constexpr std::size_t need_columns = 22;

constexpr auto needs = std::to_array<Need>({
    {"cmake", "cmake", "builds", true},
    {"ninja", "ninja-build", "builds", true},
    {"g++", "g++", "compiles", true},
    {"ld.lld", "lld", "links; the only linker besides gold that knows split stacks", true},
    {"addr2line", "binutils", "names the lines of a crash", true},
    {"git", "git", "knows the starters, for reset", true},
    {"bwrap", "bubblewrap", "the sandbox in which submissions are graded", true},
    {"/usr/include/CLI/CLI.hpp", "libcli11-dev", "the grader's command line", true},
    {"/usr/include/nlohmann/json.hpp", "nlohmann-json3-dev", "the grader's JSON", true},
    {"/usr/include/archive.h", "libarchive-dev", "unpacks submissions", true},
    {"/usr/include/gelf.h", "libelf-dev", "looks into compiled slots", true},
    {"/usr/src/googletest/CMakeLists.txt", "googletest", "the labs' tests", true},
    {"/usr/include/benchmark/benchmark.h", "libbenchmark-dev", "the labs' benchmarks", true},
    {"gdb", "gdb", "for you: looks into a test", false},
    {"clang++", "clang", "a second compiler, for ./course test", false},
    {"/var/lib/dpkg/info/libclang-rt-dev.list", "libclang-rt-dev",
     "clang's sanitizers, for ./course test", false},
    {"clang-format", "clang-format", "for ./course test", false},
    {"clang-tidy", "clang-tidy", "for ./course test", false},
    {"shellcheck", "shellcheck", "for ./course test", false},
    {"valgrind", "valgrind", "counts instructions, for ./course test", false},
    {"python3", "python3", "for ./course test: clients of the example servers, translations",
     false},
    {"sbatch", "slurm-client", "for batch --engine slurm", false},
    {"/usr/sbin/slurmctld", "slurmctld", "for ./course test", false},
    {"/usr/sbin/slurmd", "slurmd", "for ./course test", false},
    {"/usr/sbin/munged", "munge", "for ./course test", false},
    {"/var/lib/dpkg/info/python3-venv.list", "python3-venv", "for ./course test: others' checkers",
     false},
    {"curl", "curl", "for ./course test: a client", false},
    {"jq", "jq", "for ./course test: what gh does with JSON", false},
    {"wrk", "wrk", "for ./course test: a thousand clients", false},
    {"chromium", "chromium", "looks at the site and the viewer, for ./course test", false},
    {"go", "golang-go", "a peer, for ./course bench --peers", false},
    {"/usr/include/boost/fiber/all.hpp", "libboost-fiber-dev", "a peer, for ./course bench --peers",
     false},
    {"node", "nodejs", "for ./course docs and trace --open", false},
    {"npm", "npm", "for ./course docs and trace --open", false},
    {"sim_c++", "similarity-tester", "for ./course similar", false},
    {"qemu-aarch64", "qemu-user", "runs ARM64 programs, for --arch arm64", false},
    {"aarch64-linux-gnu-g++", "g++-aarch64-linux-gnu", "compiles for ARM64, for --arch arm64",
     false},
    {"/usr/aarch64-linux-gnu/lib/libc.so.6", "libc6-dev-arm64-cross",
     "ARM64's library, for --arch arm64", false},
});

bool present(const Need& need) {
  if (need.program.starts_with('/')) {
    std::error_code error;
    return fs::exists(need.program, error);
  }
  return program_exists(std::string(need.program));
}

std::string version(const Need& need) {
  if (need.program.starts_with('/')) {
    return {};
  }
  const Ended ended = run_process({{std::string(need.program), "--version"}, "/", {}},
                                  {.time = std::chrono::seconds(20)});
  const std::vector<std::string> lines = split_lines(printable(ended.output));
  for (const std::string& line : lines) {
    if (line.find_first_of("0123456789") != std::string::npos) {
      return line.substr(0, 60);
    }
  }
  return {};
}

}  // namespace

ExitStatus doctor(const Course& course, Terminal& terminal) {
  const Style& style = terminal.style();
  bool healthy = true;
  std::vector<std::string> packages;
  for (const Need& need : needs) {
    const std::string name = left(
        std::string(need.program.starts_with('/') ? need.package : need.program), need_columns);
    if (present(need)) {
      terminal.print("  " + style.good("✓") + " " + name + " " + style.quiet(version(need)));
      continue;
    }
    healthy = healthy && !need.required;
    packages.emplace_back(need.package);
    terminal.print("  " + (need.required ? style.bad("✗") : style.warning("-")) + " " + name +
                   " missing: " + std::string(need.purpose) + "; package " +
                   std::string(need.package));
  }
  if (std::string why_not; best_sandbox(why_not) != Sandbox::namespaces) {
    terminal.print("  " + style.warning("-") + " " + left("sandbox", need_columns) +
                   " cannot be made; to grade others, see docs/grading-strangers.md\n" +
                   indent(wrap(why_not, terminal.width() - 6), "      "));
  }
  std::error_code error;
  const fs::space_info space = fs::space(course.root(), error);
  constexpr std::uintmax_t gigabyte = 1'000'000'000;
  if (!error && space.available < 2 * gigabyte) {
    terminal.print("  " + style.warning("-") +
                   " less than 2 GB of disk are free; a full build needs about that");
  }
  terminal.print("  " + style.good("✓") + " " + count(processors(), "processor") + ", " +
                 count(course.labs().size(), "lab") + " in " + (course.root() / "labs").string());
  if (!packages.empty()) {
    terminal.print("\nTo get what is missing:  sudo apt-get install " + join(packages, " "));
  }
  terminal.print(healthy ? "Everything that the labs need is here."
                         : "Something that the labs need is missing.");
  return healthy ? ExitStatus::all_points : ExitStatus::broken;
}

}  // namespace goro::grader
