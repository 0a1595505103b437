// Puts the terminal's own language into the report.
// report: all passed
static_assert(false, "\x1b[2J\x1b]0;title\x07 all passed");
