#include "similar.h"

#include "course_test.h"

namespace goro::grader {
namespace {

TEST(Likenesses, EachPairStandsOnceWithTheLargerShare) {
  const std::vector<Likeness> all = read_likenesses(
      "Total input: 3 files (3 new, 0 old), 90 tokens\n\n"
      "10.cpp consists for 71 % of 2.cpp material\n"
      "2.cpp consists for 95 % of 10.cpp material\n"
      "0.cpp consists for 80 % of 1.cpp material\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].first, 2U);
  EXPECT_EQ(all[1].second, 10U);
  EXPECT_EQ(all[1].percent, 95);
}

TEST(Likenesses, WhatTheStarterHasIsNobodysOwn) {
  EXPECT_EQ(own_lines("given\n  mine\n\tgiven \n", "given\nalso given\n"), "  mine\n");
}

class SimilarTest : public CourseTest {
 protected:
  void SetUp() override {
    CourseTest::SetUp();
    // A starter that is long enough to be noticed.
    std::string starter = read_file(root_ / "labs/02-ring/ring.cpp");
    for (int i = 0; i < 30; ++i) {
      starter +=
          "int given_" + std::to_string(i) + "(int a) { return a + " + std::to_string(i) + "; }\n";
    }
    write("labs/02-ring/ring.cpp", starter);
    commit_all(root_, "the course");
    hand_in("alice", starter +
                         "int next(int place, int size) {\n  int found = 0;\n"
                         "  while (place + found > size) { found = found - size * 2; }\n"
                         "  for (int i = 0; i < size; ++i) { if (i == place + 1) { return i; } }\n"
                         "  return found;\n}\n");
    hand_in("bob",
            "#include \"harness.h\"\n// all mine\nint next(int where, int many) {\n"
            "  int result = 0;\n  while (where + result > many) { result = result - many * 2; }\n"
            "  for (int k = 0; k < many; ++k) { if (k == where + 1) { return k; } }\n"
            "  return result;\n}\n");
    hand_in("carol",
            starter +
                "int next(int p, int s) {\n  const int table[] = {1, 2, 3, 4, 5, 6, 7, 0};\n"
                "  return s == 8 ? table[p & 7] : (p + 1 == s ? 0 : p + 1);\n}\n");
    hand_in("dave", starter);
  }

  void hand_in(const std::string& who, const std::string& ring) const {
    write("class/" + who + "/02-ring/ring.cpp", ring);
  }
};

TEST_F(SimilarTest, NamesWhoWroteTheSameInOtherWords) {
  const Ended ended = course({"similar", "class", "--labs", "2"});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_SAYS(ended, "alice and bob: lab 02 ");
  EXPECT_SAYS(ended, "1 pair with at least 70 % in common");
  EXPECT_FALSE(contains(ended, "carol")) << ended.output;
  EXPECT_FALSE(contains(ended, "dave")) << ended.output;
}

TEST_F(SimilarTest, RefusesInOneLine) {
  write("class/notes.txt", "not a submission\n");
  EXPECT_SAYS(course({"similar", "class", "--labs", "2"}), "Left out: ");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"similar", "nowhere"},
                                             {"similar", "class/alice"},
                                             {"similar", "class", "--labs", "9"},
                                             {"similar", "class", "--at-least", "101"},
                                             {"similar"}}) {
    EXPECT_EQ(course(arguments).status, 2) << arguments.back();
  }
  EXPECT_SAYS(course({"similar", "nowhere"}), "course: nowhere does not exist");
}

}  // namespace
}  // namespace goro::grader
