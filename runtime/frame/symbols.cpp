// Names from the program's own symbol table (which has static functions and lambdas too, unlike
// what the dynamic linker knows), and from the dynamic linker for libraries.
#include "frame/symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>

namespace goro {

namespace {

struct Table {
  void* image = nullptr;  // the program's file
  std::size_t image_bytes = 0;
  const ElfW(Sym) * symbols = nullptr;
  std::size_t count = 0;
  const char* strings = nullptr;
  std::uintptr_t base = 0;
  std::uintptr_t end = 0;
  char path[512] = "";
};

Table table;

void find_program_bounds() {
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void*) {
        table.base = info->dlpi_addr;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& header = info->dlpi_phdr[i];
          const std::uintptr_t end = info->dlpi_addr + header.p_vaddr + header.p_memsz;
          if (header.p_type == PT_LOAD && end > table.end) table.end = end;
        }
        return 1;  // the first is the program
      },
      nullptr);
}

}  // namespace

void symbols_init() {
  if (table.end != 0) return;
  find_program_bounds();
  const ssize_t length = readlink("/proc/self/exe", table.path, sizeof(table.path) - 1);
  if (length > 0) table.path[length] = '\0';
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || fstat(fd, &info) != 0) {
    if (fd >= 0) close(fd);
    return;
  }
  void* image =
      mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (image == MAP_FAILED) return;
  table.image = image;
  table.image_bytes = static_cast<std::size_t>(info.st_size);
  const auto* bytes = static_cast<const char*>(image);
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(bytes);
  const auto* sections = reinterpret_cast<const ElfW(Shdr)*>(bytes + header->e_shoff);
  for (int i = 0; i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    table.symbols = reinterpret_cast<const ElfW(Sym)*>(bytes + sections[i].sh_offset);
    table.count = sections[i].sh_size / sizeof(ElfW(Sym));
    table.strings = bytes + sections[sections[i].sh_link].sh_offset;
  }
}

void for_each_program_function(bool (*f)(const char* name, std::uintptr_t start, std::size_t size,
                                         void* arg),
                               void* arg) {
  for (std::size_t i = 0; i < table.count; ++i) {
    const ElfW(Sym)& symbol = table.symbols[i];
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
    if (!f(table.strings + symbol.st_name, table.base + symbol.st_value, symbol.st_size, arg))
      break;
  }
  // A few hundred KB in which nobody may ever look again. Who does gets the pages back from the
  // file, at any time.
  if (table.image != nullptr) madvise(table.image, table.image_bytes, MADV_DONTNEED);
}

Symbol find_symbol(std::uintptr_t pc) {
  Symbol found;
  if (pc >= table.base && pc < table.end) {
    found.file = table.path;
    found.of_program = true;
    found.base = table.base;
    const std::uintptr_t at = pc - table.base;
    for (std::size_t i = 0; i < table.count; ++i) {
      const ElfW(Sym)& symbol = table.symbols[i];
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && at >= symbol.st_value &&
          at < symbol.st_value + symbol.st_size) {
        found.name = table.strings + symbol.st_name;
        found.start = table.base + symbol.st_value;
        break;
      }
    }
    return found;
  }
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(pc), &info) != 0) {
    found.name = info.dli_sname;
    found.file = info.dli_fname;
    found.base = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
    found.start = reinterpret_cast<std::uintptr_t>(info.dli_saddr);
  }
  return found;
}

}  // namespace goro
