// Does not compile and says that a file of the course did not.
// report: No space left on device
#line 1 "@COURSE@/runtime/frame/run.cpp"
#error FAILED: runtime/CMakeFiles/goro_frame.dir/frame/run.cpp.o No space left on device
