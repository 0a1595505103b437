#include "harness.h"

int next(int place, int size);

int main(int argc, char** argv) {
  return harness::run(
      argc, argv,
      {{"Ring.Next", [] { return std::string(next(1, 4) == 2 ? "" : "expected 2"); }},
       {"Ring.Wraps", [] { return std::string(next(3, 4) == 0 ? "" : "the ring did not wrap"); }}});
}
