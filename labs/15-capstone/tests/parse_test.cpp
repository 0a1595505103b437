// parse: bytes in, one request at a time out.
#include <map>

#include "support.h"

namespace kv::testing {
namespace {

std::string name_of(Parsed what) {
  constexpr std::array<const char*, 4> kNames{"incomplete", "a request", "an error",
                                              "a fatal error"};
  return kNames.at(static_cast<std::size_t>(what));
}

std::string shown(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 40)) {
    text += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
  }
  return "\"" + text + (bytes.size() > 40 ? "…\"" : "\"");
}

std::string told(const ParseResult& result) {
  return name_of(result.what) + (result.why.empty() ? "" : ": " + std::string(result.why));
}

const std::vector<std::string> kRight{
    "GET a\r\n", "SET a 0\r\n\r\n", "SET key 5\r\nvalue\r\n", "DEL !~\r\n", "INCR counter-1\r\n",
    "PING\r\n",  "QUIT\r\n",
};

TEST(Parse, EachVerb) {
  struct Case {
    const char* bytes;
    Verb verb;
    const char* key;
    const char* value;
  };
  for (const Case& c :
       {Case{"GET fruit\r\n", Verb::get, "fruit", ""},
        Case{"SET fruit 5\r\napple\r\n", Verb::set, "fruit", "apple"},
        Case{"DEL fruit\r\n", Verb::del, "fruit", ""},
        Case{"INCR visits\r\n", Verb::incr, "visits", ""}, Case{"PING\r\n", Verb::ping, "", ""},
        Case{"QUIT\r\n", Verb::quit, "", ""}}) {
    GORO_STEP("parsed ", shown(c.bytes));
    const ParseResult result = parse(c.bytes);
    ASSERT_EQ(told(result), "a request");
    EXPECT_EQ(result.request.verb, c.verb) << "the first word says what is to be done";
    EXPECT_EQ(result.request.key, c.key);
    EXPECT_EQ(result.request.value, c.value);
    EXPECT_EQ(result.size, std::string_view(c.bytes).size())
        << "a request takes its line, and SET the value and its CR LF";
  }
}

TEST(Parse, IsIncompleteUpToTheLastByte) {
  for (const std::string& request : kRight) {
    GORO_STEP("parsed the beginnings of ", shown(request), ", from no byte to all but one");
    for (std::size_t have = 0; have < request.size(); ++have) {
      const ParseResult result = parse(std::string_view(request).substr(0, have));
      ASSERT_EQ(told(result), "incomplete") << "only " << have << " bytes of it are there";
      ASSERT_GT(result.size, have) << "another look is worth it only when there is more";
      ASSERT_LE(result.size, request.size())
          << "whoever waits for more bytes than the request has waits for ever";
    }
  }
}

TEST(Parse, TakesTheFirstOfMany) {
  std::string all;
  for (const std::string& request : kRight) all += request;
  GORO_STEP("parsed seven requests in one piece, one after the other");
  std::string_view rest = all;
  for (const std::string& request : kRight) {
    const ParseResult result = parse(rest);
    ASSERT_EQ(told(result), "a request") << "at " << shown(rest);
    ASSERT_EQ(result.size, request.size()) << "the next request begins right behind this one";
    rest.remove_prefix(result.size);
  }
  EXPECT_TRUE(rest.empty());
}

TEST(Parse, ValuesHoldAnyBytes) {
  std::string value = "\r\nGET x\r\n";
  for (int i = 0; i < 256; ++i) value += static_cast<char>(i);
  GORO_STEP("parsed a SET whose value has lines in it, and every byte there is");
  const std::string bytes = set_of("any", value) + "PING\r\n";
  const ParseResult result = parse(bytes);
  ASSERT_EQ(told(result), "a request");
  EXPECT_EQ(result.request.value, value) << "only the length says where a value ends";
  EXPECT_EQ(result.size, bytes.size() - 6);
}

TEST(Parse, ValuesHaveALimit) {
  GORO_STEP("parsed a SET of exactly the largest size");
  const std::string largest = set_of("big", std::string(kMaxValue, 'v'));
  const ParseResult result = parse(largest);
  ASSERT_EQ(told(result), "a request");
  EXPECT_EQ(result.request.value.size(), kMaxValue);
  GORO_STEP("parsed the line of a SET of one byte more");
  EXPECT_EQ(told(parse("SET big " + std::to_string(kMaxValue + 1) + "\r\n")),
            "a fatal error: value too large")
      << "told as soon as the line is there: nobody should wait for such a value";
}

TEST(Parse, KeysHaveALimit) {
  GORO_STEP("parsed keys of 250 and of 251 bytes");
  EXPECT_EQ(told(parse(get_of(std::string(kMaxKey, 'k')))), "a request");
  EXPECT_EQ(told(parse(get_of(std::string(kMaxKey + 1, 'k')))), "an error: bad key");
  for (const char* bad : {"a\tb", "a\x7f", "\xc3\xa4", "a\rb", "a\nb"}) {
    GORO_STEP("parsed a key with a byte that is not from '!' to '~'");
    EXPECT_EQ(told(parse(get_of(bad))), "an error: bad key");
  }
}

TEST(Parse, WrongLinesCostOnlyThemselves) {
  const std::map<std::string, std::string> wrong{
      {"\r\n", "unknown verb"},
      {"HELLO\r\n", "unknown verb"},
      {"get a\r\n", "unknown verb"},
      {" GET a\r\n", "unknown verb"},
      {"PING\n\r\n", "unknown verb"},
      {"GET\r\n", "wrong number of words"},
      {"GET a b\r\n", "wrong number of words"},
      {"GET a \r\n", "wrong number of words"},
      {"DEL  a\r\n", "wrong number of words"},
      {"PING x\r\n", "wrong number of words"},
      {"INCR a b c d\r\n", "wrong number of words"},
      {"GET \r\n", "bad key"},
  };
  for (const auto& [line, why] : wrong) {
    GORO_STEP("parsed ", shown(line));
    const ParseResult result = parse(line + "PING\r\n");
    EXPECT_EQ(told(result), "an error: " + why);
    EXPECT_EQ(result.size, line.size()) << "the next request begins behind the wrong line";
  }
}

TEST(Parse, WrongSetsAreFatal) {
  const std::map<std::string, std::string> wrong{
      {"SET\r\n", "wrong number of words"},
      {"SET a\r\n", "wrong number of words"},
      {"SET a 1 2\r\n", "wrong number of words"},
      {"SET  1\r\n", "bad key"},
      {"SET a \r\n", "bad length"},
      {"SET a -1\r\n", "bad length"},
      {"SET a +1\r\n", "bad length"},
      {"SET a 1x\r\n", "bad length"},
      {"SET a 0x1\r\n", "bad length"},
      {"SET a 1234567890\r\n", "bad length"},
      {"SET a 18446744073709551617\r\n", "bad length"},
      {"SET a 999999999\r\n", "value too large"},
  };
  for (const auto& [line, why] : wrong) {
    GORO_STEP("parsed ", shown(line));
    EXPECT_EQ(told(parse(line)), "a fatal error: " + why)
        << "does a value follow, and how long is it? Nobody knows where the next request begins";
  }
}

TEST(Parse, AValueMustEndWhereItsLengthSays) {
  GORO_STEP("parsed values that are longer or shorter than they should be");
  EXPECT_EQ(told(parse("SET a 3\r\nabcd\r\n")), "a fatal error: bad value");
  EXPECT_EQ(told(parse("SET a 3\r\nab\r\nPING\r\n")), "a fatal error: bad value");
  EXPECT_EQ(told(parse("SET a 3\r\nabc\n\r")), "a fatal error: bad value");
  EXPECT_EQ(told(parse("SET a 3\r\nabc\r")), "incomplete") << "the LF may still come";
}

TEST(Parse, LinesHaveALimit) {
  GORO_STEP("parsed a line of exactly ", kMaxLine, " bytes with its CR LF");
  const ParseResult longest = parse(std::string(kMaxLine - 2, 'x') + "\r\n");
  EXPECT_EQ(told(longest), "an error: unknown verb");
  EXPECT_EQ(longest.size, kMaxLine);
  GORO_STEP("parsed lines without an end");
  EXPECT_EQ(told(parse(std::string(kMaxLine - 1, 'x'))), "incomplete");
  EXPECT_EQ(told(parse(std::string(kMaxLine - 1, 'x') + "\r")), "a fatal error: line too long")
      << "the LF would be one byte too many";
  EXPECT_EQ(told(parse(std::string(kMaxLine, 'x') + "\r\n")), "a fatal error: line too long")
      << "a CR LF that comes later does not help";
}

}  // namespace
}  // namespace kv::testing
