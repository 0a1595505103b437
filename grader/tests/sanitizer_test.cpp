#include "sanitizer.h"

#include <gtest/gtest.h>

#include <string>

#include "text.h"

namespace goro::grader {
namespace {

const std::string race =
    "==================\n"
    "WARNING: ThreadSanitizer: data race (pid=7)\n"
    "  Write of size 8 at 0x7b0400000010 by thread T2:\n"
    "    #0 goro::gfput(goro::P*, goro::G*) labs/02-life/lifecycle.cpp:44 (lab_02_tests+0x1c2e)\n"
    "    #1 goro::(anonymous namespace)::FreeList_Test::TestBody()::{lambda()#1}::operator()() "
    "const "
    "labs/02-life/tests/free_list_test.cpp:9 (lab_02_tests+0x1f)\n"
    "    #2 void std::__invoke_impl<void, X>(std::__invoke_other, X&&) "
    "/usr/include/c++/12/bits/invoke.h:61 (lab_02_tests+0x3a11)\n"
    "    #3 std::thread::_State_impl<X>::_M_run() /usr/include/c++/12/bits/std_thread.h:211 "
    "(lab_02_tests+0x3)\n"
    "    #4 <null> <null> (libstdc++.so.6+0xd44a2) (BuildId: abc)\n"
    "\n"
    "  Previous read of size 8 at 0x7b0400000010 by main thread:\n"
    "    #0 goro::gfget(goro::P*) labs/02-life/lifecycle.cpp:60:12 (lab_02_tests+0x1c2e)\n"
    "    #1 testing::Test::Run() gtest/src/gtest.cc:2687 (lab_02_tests+0x8)\n"
    "    #2 main runtime/testing/harness.cpp:240 (lab_02_tests+0x9)\n"
    "\n"
    "  Thread T2 (tid=9, running) created by main thread at:\n"
    "    #0 pthread_create ../../../../src/libsanitizer/tsan/tsan_interceptors.cpp:1001 "
    "(libtsan.so.2+0x63a59)\n"
    "\n"
    "SUMMARY: ThreadSanitizer: data race labs/02-life/lifecycle.cpp:44 in goro::gfput\n"
    "==================\n";

TEST(SanitizerReport, KeepsTheCoursesOwnFrames) {
  EXPECT_EQ(
      sanitizer_report("hello\n" + race + "bye\n"),
      "ThreadSanitizer found a data race:\n"
      "  Write of size 8 at 0x7b0400000010 by thread T2:\n"
      "    goro::gfput(goro::P*, goro::G*) at labs/02-life/lifecycle.cpp:44\n"
      "    goro::(anonymous namespace)::FreeList_Test::TestBody()::{lambda()#1}::operator()() "
      "const at labs/02-life/tests/free_list_test.cpp:9\n"
      "  Previous read of size 8 at 0x7b0400000010 by main thread:\n"
      "    goro::gfget(goro::P*) at labs/02-life/lifecycle.cpp:60");
}

TEST(SanitizerReport, OfManyTheFirstThree) {
  const std::string text = sanitizer_report(race + race + race + race + race);
  EXPECT_TRUE(text.ends_with("… 2 more reports")) << text;
  EXPECT_EQ(split_lines(text).size(), 6U * 3 + 2 + 1) << text;
}

TEST(SanitizerReport, ReadsAddressSanitizerToo) {
  EXPECT_EQ(sanitizer_report("==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60 at "
                             "pc 0x1 bp 0x2 sp 0x3\n"
                             "READ of size 8 at 0x60 thread T0:\n"
                             "    #0 0x55d0 in goro::get(goro::G*) labs/02-life/lifecycle.cpp:7\n"
                             "    #1 0x7f00 in __libc_start_call_main (/lib/libc.so.6+0x2)\n"
                             "\n"
                             "SUMMARY: AddressSanitizer: heap-use-after-free\n"),
            "AddressSanitizer found a heap-use-after-free:\n"
            "  READ of size 8 at 0x60 thread T0:\n"
            "    goro::get(goro::G*) at labs/02-life/lifecycle.cpp:7");
}

TEST(SanitizerReport, IsEmptyWithoutOne) {
  EXPECT_EQ(sanitizer_report("fine\n"), "");
}

}  // namespace
}  // namespace goro::grader
