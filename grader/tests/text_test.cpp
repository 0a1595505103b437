#include "text.h"

#include <gtest/gtest.h>

namespace goro::grader {
namespace {

TEST(Text, LinesHaveNoLineEnds) {
  EXPECT_EQ(split_lines("a\r\n\nb\n"), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_TRUE(split_lines("").empty());
}

TEST(Text, WrapKeepsIndentationAndLongWords) {
  EXPECT_EQ(wrap("  one two three", 9), "  one two\n  three\n");
  EXPECT_EQ(wrap("incomprehensible x", 4), "incomprehensible\nx\n");
  EXPECT_EQ(wrap("a  b", 80), "a  b\n");
}

TEST(Text, HeadAndTailSayHowMuchIsMissing) {
  EXPECT_EQ(head_and_tail("1\n2\n3\n4\n5\n", 1, 1), "1\n… 3 lines left out …\n5\n");
  EXPECT_EQ(head_and_tail("1\n2\n3\n", 1, 1), "1\n2\n3\n");
}

TEST(Text, PrintableForgesNoTerminalCommands) {
  EXPECT_EQ(printable("a\x1b[31mb\tc\r\n"), "a\\x1b[31mb\tc\n");
  EXPECT_EQ(printable("ok ✓"), "ok ✓");
  EXPECT_EQ(printable("\xff\xc2\x9b"), "\\xff\\xc2\\x9b");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate is no character
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // turns what follows around
  EXPECT_EQ(printable("\xef\xbf\xbf"), "\\xef\\xbf\\xbf");  // XML forbids it
}

TEST(Text, BoundedLosesTheMiddleAndNoCharacter) {
  EXPECT_EQ(bounded("as it is", 8), "as it is");
  EXPECT_EQ(bounded("0123456789", 4), "01\n… 6 bytes left out …\n89");
  EXPECT_EQ(bounded("éééééé", 6), "é\n… 8 bytes left out …\né");
  EXPECT_EQ(bounded("0123456789", 0), "\n… 10 bytes left out …\n");
}

TEST(Text, KoreanLettersAreTwoColumnsWide) {
  EXPECT_EQ(columns_of("kim é"), 5U);
  EXPECT_EQ(columns_of("홍길동 1"), 8U);
  EXPECT_EQ(columns_of("█░…"), 3U);
  EXPECT_EQ(columns_of("no \xff UTF-8"), 10U);
  EXPECT_EQ(cut("홍길동", 6), "홍길동");
  EXPECT_EQ(cut("홍길동", 5), "홍길");
  EXPECT_EQ(cut("abc", 2), "ab");
  EXPECT_EQ(left("홍길동", 8) + "|", "홍길동  |");
}

TEST(Text, FirstLineHasNoLineEnd) {
  EXPECT_EQ(first_line("a\nb"), "a");
  EXPECT_EQ(first_line("a"), "a");
  EXPECT_EQ(first_line("\nb"), "");
}

TEST(Text, NumbersHaveNoNeedlessDigits) {
  EXPECT_EQ(number(5), "5");
  EXPECT_EQ(number(2.50), "2.5");
  EXPECT_EQ(number(100), "100");
  EXPECT_EQ(count(1, "test"), "1 test");
  EXPECT_EQ(count(2, "test"), "2 tests");
  EXPECT_EQ(duration(200), "3 min 20 s");
}

TEST(Text, NearestFindsTyposAndNothingElse) {
  EXPECT_EQ(nearest("Sum.OfTow", {"Sum.OfTwo", "Ring.Next"}), "Sum.OfTwo");
  EXPECT_EQ(nearest("zzzzzz", {"Sum.OfTwo", "Ring.Next"}), "");
}

TEST(Text, ShellQuotingSurvivesQuotes) {
  EXPECT_EQ(shell_quoted("plain/path-1.cpp"), "plain/path-1.cpp");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted(""), "''");
}

}  // namespace
}  // namespace goro::grader
