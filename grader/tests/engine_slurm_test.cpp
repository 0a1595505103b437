// A class graded on a cluster of this machine alone, which tests/slurm_cluster starts and stops.
#include <gtest/gtest.h>
#include <unistd.h>

#include "course_test.h"
#include "text.h"

namespace goro::grader {
namespace {

class SlurmEngineTest : public CourseTest {
 protected:
  void SetUp() override {
    CourseTest::SetUp();
    class_ = root_.parent_path() / "class";
    for (int i = 0; i < 6; ++i) {
      const fs::path student = class_ / ("student" + std::to_string(i));
      write_file_atomically(student / "01-sum/sum.cpp",
                            i % 2 == 0 ? "int sum(int a, int b) { return a + b; }\n"
                                       : "int sum(int a, int b) { return a < 0 ? 0 : a + b; }\n");
      write_file_atomically(student / "02-ring/ring.cpp",
                            i % 3 == 0 ? "int next(int a, int n) { return (a + 1) % n; }\n"
                                       : "int next(int a, int n) { return a + m; }\n");
    }
    write_file_atomically(class_ / "mallory.tar", "no archive");
    // The names of sockets must be short.
    std::string folder = "/tmp/cluster-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    cluster_ = folder;
  }

  void TearDown() override { fs::remove_all(cluster_); }

  [[nodiscard]] std::vector<std::string> batch(const std::string& engine) const {
    return {"batch",      class_.string(), "--out",  (root_.parent_path() / engine).string(),
            "--labs",     "1-2",           "--jobs", "2",
            "--no-bench", "--engine",      engine};
  }

  [[nodiscard]] std::string table(const std::string& engine) const {
    return read_file(root_.parent_path() / engine / "grades.csv");
  }

  // A script runs while the cluster is there.
  [[nodiscard]] Ended on_cluster(const std::string& script) const {
    return run_process(
        {{GORO_SLURM_CLUSTER, cluster_.string(), "/bin/bash", "-c", script}, root_, {}},
        {.time = std::chrono::minutes(5)});
  }

  fs::path class_;
  fs::path cluster_;
};

TEST_F(SlurmEngineTest, TheTableIsTheSameAsOnThisMachineAlsoWhenTheBatchIsKilled) {
  const Ended here = course(batch("local"));
  ASSERT_EQ(here.status, 0) << here.output;
  std::string arguments;
  for (const std::string& word : batch("slurm")) {
    arguments += " " + shell_quoted(word);
  }
  const std::string program = shell_quoted(GORO_GRADER_PROGRAM) + arguments;
  const std::string records = shell_quoted((root_.parent_path() / "slurm/batch/records").string());
  const Ended there = on_cluster(program + " >killed.log 2>&1 & batch=$!\n" + "until [[ -e " +
                                 records + "/student0.json ]]; do kill -0 $batch || break; done\n" +
                                 "kill -9 $batch; wait $batch\n" + "before=$(stat -c %i " +
                                 records + "/student0.json)\n" + program + "; echo status $?\n" +
                                 "[[ $before == \"$(stat -c %i " + records +
                                 "/student0.json)\" ]] && echo graded once\n" + program);
  // Without that file there was no cluster.
  ASSERT_TRUE(fs::exists(root_ / "killed.log")) << there.output;
  EXPECT_EQ(there.status, 0) << there.output << read_file(root_ / "killed.log");
  EXPECT_SAYS(there, "of an earlier batch is not over; waiting for it");
  EXPECT_SAYS(there, "6 graded, 1 refused");
  EXPECT_SAYS(there, "status 0\n");
  EXPECT_SAYS(there, "graded once\n");
  EXPECT_SAYS(there, "7 submissions, 7 graded already");
  EXPECT_EQ(table("slurm"), table("local"));
  EXPECT_EQ(split_lines(table("slurm")).size(), 8U) << table("slurm");
}

TEST_F(SlurmEngineTest, WithoutSlurmItIsOneLine) {
  const fs::path programs = root_.parent_path() / "programs";
  fs::create_directories(programs);
  fs::create_symlink("/usr/bin/sha256sum", programs / "sha256sum");
  std::vector<std::string> words{"/usr/bin/env", "PATH=" + programs.string(), GORO_GRADER_PROGRAM};
  const std::vector<std::string> arguments = batch("slurm");
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Ended ended = run_process({words, root_, {}}, {});
  EXPECT_EQ(ended.status, 3) << ended.output;
  EXPECT_SAYS(ended,
              "course: sbatch does not take the batch: cannot run sbatch: No such file or "
              "directory\n");
  EXPECT_TRUE(ended.output.ends_with("directory\n")) << ended.output;
}

}  // namespace
}  // namespace goro::grader
