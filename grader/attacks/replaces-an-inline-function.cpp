// Takes the place of a function that the course's files have from a header.
// report: a slot may not take the place of goro::Panic::~Panic(), which is the course's
// report: not implemented: lab 4

// The second line is clang's, whose objects of the course have no such function of their own.
namespace goro {
void attack(void*) __asm__("_ZN4goro5PanicD2Ev");
void attack(void*) {}
}  // namespace goro
