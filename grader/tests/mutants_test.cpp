#include "mutants.h"

#include <gtest/gtest.h>

#include "course.h"
#include "problem.h"
#include "test_folder.h"
#include "text.h"

namespace goro::grader {
namespace {

const std::string good_manifest = R"({"lab": "02-ring", "mutants": [
  {"name": "stays", "what": "w", "file": "ring.cpp", "find": "place + 1", "replace": "",
   "caught_by": ["Ring.Next"], "names": "next", "arch": "x86_64"}]})";

class MutantsLoader : public testing::Test {
 protected:
  void SetUp() override { course_.emplace(fresh_course()); }

  [[nodiscard]] std::vector<Mutant> parse(const std::string& json,
                                          const std::string& lab = "2") const {
    return parse_mutants(json, "grader/mutants/02-ring.json", course_->lab(lab));
  }

  [[nodiscard]] std::string complaint(const std::string& from, const std::string& to) const {
    try {
      (void)parse(replace_all(good_manifest, from, to));
    } catch (const Problem& problem) {
      return problem.what();
    }
    return "no complaint";
  }

  std::optional<Course> course_;
};

TEST_F(MutantsLoader, ReadsOne) {
  const std::vector<Mutant> mutants = parse(good_manifest);
  ASSERT_EQ(mutants.size(), 1U);
  EXPECT_EQ(mutants[0].name, "stays");
  EXPECT_EQ(mutants[0].replace, "");
  EXPECT_EQ(mutants[0].architecture, Architecture::x86_64);
}

TEST_F(MutantsLoader, KnowsTheLabsTestsAndFiles) {
  EXPECT_EQ(complaint("Ring.Next", "Ring.Gone"),
            "grader/mutants/02-ring.json: mutants[0].caught_by: lab 02 has no test \"Ring.Gone\"");
  EXPECT_EQ(complaint("\"ring.cpp\"", "\"other.cpp\""),
            "grader/mutants/02-ring.json: mutants[0].file: \"other.cpp\" is none of the lab's slot "
            "files");
  EXPECT_NE(complaint("02-ring", "01-sum").find("lab"), std::string::npos);
  EXPECT_NE(complaint("\"what\"", "\"waht\"").find("is missing"), std::string::npos);
}

TEST_F(MutantsLoader, ALabWithoutASlotHasNone) {
  EXPECT_THROW((void)parse(replace_all(good_manifest, "02-ring", "00-look"), "0"), Problem);
}

TEST_F(MutantsLoader, PlantsWhereTheTextStandsOnce) {
  const Mutant mutant = parse(good_manifest).front();
  EXPECT_EQ(plant(mutant, "return (place + 1) % size;", "s"), "return () % size;");
}

TEST_F(MutantsLoader, StaleOrAmbiguousIsAnError) {
  const Mutant mutant = parse(good_manifest).front();
  EXPECT_THROW((void)plant(mutant, "return 0;", "s"), Problem);
  EXPECT_THROW((void)plant(mutant, "place + 1, place + 1", "s"), Problem);
}

}  // namespace
}  // namespace goro::grader
