#include "slot_object.h"

#include <gtest/gtest.h>

#include "process.h"
#include "test_folder.h"
#include "text.h"

namespace goro::grader {
namespace {

class SlotObject : public ::testing::Test {
 protected:
  void SetUp() override { folder_ = fresh_folder(); }

  static void run(const std::vector<std::string>& arguments) {
    const Ended ended = run_process({arguments, "/", {}}, {.time = std::chrono::seconds(60)});
    ASSERT_TRUE(ended.ok()) << ended.output << ended.why_not_started;
  }

  [[nodiscard]] fs::path compiled(const std::string& name, const std::string& text) const {
    write_file_atomically(folder_ / (name + ".cpp"), text);
    run({"g++", "-std=c++20", "-O1", "-c", (folder_ / (name + ".cpp")).string(), "-o",
         (folder_ / (name + ".o")).string()});
    return folder_ / (name + ".o");
  }

  [[nodiscard]] std::string complaints(const std::string& text) const {
    return join(complaints_about_object(compiled("slot", text)), "\n");
  }

  // What is said of a program of the slot, another object, and a main function, by each linker.
  [[nodiscard]] std::string complaints_about_link(
      const std::string& text, const std::string& other = "int other;",
      const std::set<std::string>& replaces = {}) const {
    const fs::path slot = compiled("slot", text);
    const fs::path rest = compiled("other", other);
    const fs::path start = compiled("main", "int main() { return 0; }");
    std::string all;
    for (const std::string linker : {"bfd", "lld"}) {
      const fs::path program = folder_ / linker;
      run({"g++", "-fuse-ld=" + linker, slot.string(), rest.string(), start.string(), "-o",
           program.string()});
      std::string said;
      for (const LinkComplaint& complaint :
           complaints_about_program(program, {{slot, replaces}}, {rest, start})) {
        EXPECT_EQ(complaint.object, slot);
        said += complaint.what + "\n";
      }
      EXPECT_TRUE(all.empty() || all == said) << linker << ": " << said << "not " << all;
      all = said;
    }
    return all;
  }

  fs::path folder_;
};

TEST_F(SlotObject, OrdinaryCodeIsFine) {
  const std::string text =
      "#include <map>\n#include <sstream>\n#include <string>\n#include <vector>\n"
      "std::map<std::string, int> before_main{{\"one\", 1}};\n"
      "thread_local std::vector<int> of_a_thread;\n"
      "inline int shared = 1;\n"
      "int testing_something() { static std::string once(\"x\"); of_a_thread.push_back(shared);\n"
      "  std::ostringstream out; out << once << of_a_thread.size(); if (shared == 2) throw 1;\n"
      "  return before_main.at(out.str()); }\n";
  EXPECT_EQ(complaints(text), "");
  EXPECT_EQ(complaints_about_link(text, "inline int shared = 1; int* use = &shared;"), "");
}

TEST_F(SlotObject, HasNoUnusualSections) {
  EXPECT_EQ(complaints("void f() {} __attribute__((section(\".preinit_array\"), used)) "
                       "void (*const first)() = f;"),
            "a slot may not have a section .preinit_array");
  EXPECT_EQ(complaints("__asm__(\".section .deplibs,\\\"MS\\\",%0x6fff4c04,1\\n"
                       ".asciz \\\"other.o\\\"\\n\");"),
            "a slot may not have a section .deplibs");
  EXPECT_EQ(complaints("__asm__(\".section .interp,\\\"a\\\"\\n.asciz \\\"/tmp/x\\\"\\n\");"),
            "a slot may not have a section .interp");
  EXPECT_EQ(complaints("__asm__(\".section .init,\\\"ax\\\"\\nnop\\n\");"),
            "a slot may not have a section .init");
}

TEST_F(SlotObject, ChoosesNothingWhileTheProgramIsLoaded) {
  EXPECT_EQ(complaints("extern \"C\" { void (*choose())() { return nullptr; }\n"
                       "[[gnu::ifunc(\"choose\")]] void chosen(); void* use = (void*)chosen; }"),
            "a slot may not choose chosen while the program is loaded");
}

TEST_F(SlotObject, LeavesTheTestLibraryAlone) {
  const std::string said = "a slot may not use or define ";
  EXPECT_EQ(complaints("namespace testing { void end(); } void f() { testing::end(); }"),
            said + "testing::end(): that is for tests");
  EXPECT_EQ(complaints("namespace goro::testing { void tell() {} }"),
            said + "goro::testing::tell(): that is for tests");
  EXPECT_EQ(
      complaints("namespace benchmark { inline void end() {} } void (*f)() = benchmark::end;"),
      said + "benchmark::end(): that is for tests");
}

TEST_F(SlotObject, TakesTheSystemsPlaceOnlyWhereTheLabIsAboutThat) {
  const std::string send = "long send(int, const void*, unsigned long, int) ";
  const std::string said = "a slot may not take the place of send, which is the system's\n";
  EXPECT_EQ(complaints_about_link("extern \"C\" " + send + "{ return 0; }"), said);
  EXPECT_EQ(complaints_about_link("extern \"C\" [[gnu::weak]] " + send + "{ return 0; }"), said);
  EXPECT_EQ(complaints_about_link("extern \"C\" " + send + "{ return 0; }", "int other;", {"send"}),
            "");
  EXPECT_EQ(complaints_about_link("namespace std { void terminate() noexcept { for (;;) {} } }"),
            "a slot may not take the place of std::terminate(), which is the system's\n");
  EXPECT_EQ(complaints("__asm__(\".symver x, send@@X\\n.globl x\\nx: ret\\n\");"),
            "a slot may not give a version to send@@X");
}

TEST_F(SlotObject, TakesTheCoursesPlaceNowhere) {
  EXPECT_EQ(complaints_about_link("namespace goro { int help() { return 2; } }",
                                  "namespace goro { inline int help() { return 1; } }\n"
                                  "int (*use)() = goro::help;"),
            "a slot may not take the place of goro::help(), which is the course's\n");
}

TEST_F(SlotObject, WhatIsNoObjectIsSaidToBeNone) {
  for (const std::string content : {"", "GROUP ( other.o )",
                                    "\x7f"
                                    "ELF\x02\x01\x01"}) {
    write_file_atomically(folder_ / "file.o", content);
    EXPECT_EQ(complaints_about_object(folder_ / "file.o"),
              std::vector<std::string>{"what was made of it is no object file"});
  }
  EXPECT_EQ(complaints_about_object(folder_ / "none.o"),
            std::vector<std::string>{"what was made of it is no object file"});
}

}  // namespace
}  // namespace goro::grader
