// Makes the assembler read a device that never ends.
// report: It does not compile.
__asm__(".incbin \"/dev/zero\"");
