#include "testing/story.h"
#include "goro/goro.h"
TEST(Probe, Works){ EXPECT_EQ(goro::run([]{ goro::go([]{}); goro::yield(); return 3;}),3);}
