#include "bench/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace goro::bars {

namespace fs = std::filesystem;

namespace {

// One that hangs is ended: no workload comes near.
constexpr std::chrono::minutes kMostTime{3};

// Everything up to the end of the pipe. False: it did not come in time.
bool read_all(int end, std::string& output) {
  const auto deadline = std::chrono::steady_clock::now() + kMostTime;
  std::array<char, 4096> block{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd wanted{end, POLLIN, 0};
    if (left.count() <= 0 || poll(&wanted, 1, static_cast<int>(left.count())) == 0) return false;
    const ssize_t n = read(end, block.data(), block.size());
    if (n <= 0) return true;
    output.append(block.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string output_of(const std::vector<std::string>& arguments, const std::string& folder) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw CannotMeasure("no pipe");
  const pid_t child = fork();
  if (child < 0) throw CannotMeasure("cannot start " + arguments[0]);
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    if (folder.empty() || chdir(folder.c_str()) == 0) execvp(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  std::string output;
  const bool in_time = read_all(ends[0], output);
  close(ends[0]);
  if (!in_time) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  if (!in_time) {
    throw CannotMeasure(arguments[0] + " did not end within " + std::to_string(kMostTime.count()) +
                        " minutes");
  }
  if (WIFSIGNALED(status)) {
    throw CannotMeasure(arguments[0] + " was ended by signal " + std::to_string(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    throw CannotMeasure(arguments[0] + " ended with status " + std::to_string(WEXITSTATUS(status)));
  }
  return output;
}

std::vector<double> figures_of(const std::vector<std::string>& arguments) {
  std::istringstream text(output_of(arguments));
  std::vector<double> figures;
  for (double figure = 0; text >> figure;) figures.push_back(figure);
  return figures;
}

GoProgram::GoProgram(const std::string& go) {
  version_ = one_line(output_of({go, "version"}));
  std::string folder = (fs::temp_directory_path() / "goro-bars-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) throw CannotMeasure("cannot make a folder like " + folder);
  folder_ = folder;
  path_ = folder_ + "/bars";
  // Neither a workspace nor a newer toolchain from elsewhere: this machine's go, as it is.
  setenv("GOWORK", "off", 1);
  setenv("GOTOOLCHAIN", "local", 1);
  try {
    output_of({go, "build", "-o", path_, "."}, GORO_BARS_GO_SOURCE);
  } catch (...) {
    fs::remove_all(folder_);
    throw;
  }
}

GoProgram::~GoProgram() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string one_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

bool program_exists(const std::string& program) {
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace goro::bars
