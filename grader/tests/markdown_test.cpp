#include "markdown.h"

#include <gtest/gtest.h>

#include "files.h"
#include "problem.h"
#include "test_folder.h"

namespace goro::grader {
namespace {

class Markdown : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fresh_course();
    write_file_atomically(root_ / "code.h",
                          "// [sum]\n  int sum();\n    int more();\n  // [/sum]\n");
  }

  std::vector<std::string> complaints(const std::string& page) const {
    write_file_atomically(root_ / "page.md", page);
    return check_page(root_, "page.md");
  }

  fs::path root_;
};

TEST_F(Markdown, AFaithfulQuoteIsFine) {
  EXPECT_TRUE(
      complaints("<!-- quote: code.h#sum -->\n```cpp\nint sum();\n  int more();\n```\n").empty());
}

TEST_F(Markdown, AStaleQuoteIsNamed) {
  const auto all = complaints("# T\n\n<!-- quote: code.h#sum -->\n```cpp\nint sum(int);\n```\n");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0], "page.md:4: the block is not what code.h has between [sum] and [/sum]");
}

TEST_F(Markdown, AMissingRegionFileOrBlockIsNamed) {
  EXPECT_EQ(complaints("<!-- quote: code.h#no -->\n```\n```\n").size(), 1U);
  EXPECT_EQ(complaints("<!-- quote: gone.h#sum -->\n```\n```\n").size(), 1U);
  EXPECT_EQ(complaints("<!-- quote: code.h#sum -->\nwords\n").size(), 1U);
}

TEST_F(Markdown, CodeInTheBookIsAQuote) {
  const std::string page =
      "<!-- quote: code.h#sum -->\n```cpp\nint sum();\n  int more();\n```\n"
      "```text\na picture\n```\n```cpp\nint mine();\n```\n";
  EXPECT_TRUE(complaints(page).empty()) << "a page that is not of the book";
  write_file_atomically(root_ / "docs/page.md", page);
  const auto all = check_page(root_, "docs/page.md");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].starts_with("docs/page.md:9: code that is not quoted")) << all[0];
}

TEST_F(Markdown, DeadLinksAreNamed) {
  const auto all = complaints(
      "# One\n[a](code.h) [b](gone.h) [c](#one) [d](#two) [e](https://example.org/x) `[f](gone)`\n"
      "```\n[g](gone)\n```\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], "page.md:2: a link to gone.h, which does not exist");
  EXPECT_EQ(all[1], "page.md:2: a link to #two, but that page has no such heading");
}

TEST_F(Markdown, InstructorsPartsAreLeftOut) {
  EXPECT_EQ(page_for_students("a\n\n<!-- instructors-only -->\n[c](code.h)\n"
                              "<!-- /instructors-only -->\n\nb\n",
                              "page.md", [](const fs::path&) { return true; }),
            "a\n\nb\n");
}

TEST_F(Markdown, ALinkToWhatStudentsDoNotGetIsItsText) {
  const auto for_students = [](const fs::path& path) { return path != "secret/a.md"; };
  EXPECT_EQ(page_for_students(
                "See [the\n`a`](../secret/a.md#x), [b](../b.md), [c](#c), `[d](../secret/a.md)`"
                " and [a](../secret/a.md).\n```\n[e](../secret/a.md)\n```\n",
                "docs/page.md", for_students),
            "See the\n`a`, [b](../b.md), [c](#c), `[d](../secret/a.md)` and a.\n"
            "```\n[e](../secret/a.md)\n```\n");
}

TEST_F(Markdown, AQuoteOfWhatStudentsDoNotGetIsLeftOut) {
  const std::string page =
      "a\n\n<!-- quote: code.h#sum -->\n\n```cpp\nint sum();\n\nint b;\n```\n\nb\n```\nc\n```\n";
  EXPECT_EQ(
      page_for_students(page, "page.md", [](const fs::path&) { return false; }),
      "a\n\n*(Quoted here: a part of `code.h`, which this edition leaves out.)*\n\nb\n```\nc\n"
      "```\n");
  EXPECT_EQ(page_for_students(page, "page.md", [](const fs::path&) { return true; }), page);
}

TEST_F(Markdown, AMarkWithoutCounterpartIsNamed) {
  for (const std::string page :
       {"<!-- instructors-only -->\na\n", "a\n<!-- /instructors-only -->\n"}) {
    EXPECT_EQ(complaints(page).size(), 1U) << page;
    EXPECT_THROW((void)page_for_students(page, "page.md", {}), Problem) << page;
  }
}

TEST(MarkdownAnchors, AreMadeAsGitHubMakesThem) {
  const std::vector<std::string> expected{"step-1-the-gobufs-sp", "a", "a-1"};
  EXPECT_EQ(anchors("# Step 1: the `Gobuf`'s sp\n```\n# no\n```\n## A\n## A\n"), expected);
}

}  // namespace
}  // namespace goro::grader
