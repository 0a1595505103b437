#include "bench/child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace goro::bars {

namespace fs = std::filesystem;

std::string output_of(const std::vector<std::string>& arguments) {
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
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  std::string output;
  std::array<char, 4096> block{};
  for (ssize_t n = 0; (n = read(ends[0], block.data(), block.size())) > 0;) {
    output.append(block.data(), static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
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
  version_ = output_of({go, "version"});
  version_.erase(version_.find_last_not_of('\n') + 1);
  std::string folder = (fs::temp_directory_path() / "goro-bars-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) throw CannotMeasure("cannot make a folder like " + folder);
  folder_ = folder;
  path_ = folder_ + "/bars";
  // Neither a workspace nor a newer toolchain from elsewhere: this machine's go, as it is.
  setenv("GOWORK", "off", 1);
  setenv("GOTOOLCHAIN", "local", 1);
  try {
    output_of({go, "build", "-C", GORO_BARS_GO_SOURCE, "-o", path_, "."});
  } catch (...) {
    fs::remove_all(folder_);
    throw;
  }
}

GoProgram::~GoProgram() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
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
