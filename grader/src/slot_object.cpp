#include "slot_object.h"

#include <cxxabi.h>
#include <fcntl.h>
#include <gelf.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "problem.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

struct End {
  void operator()(Elf* elf) const { (void)elf_end(elf); }
};
using ElfPointer = std::unique_ptr<Elf, End>;

// A file that is an object, a program or an archive of objects.
class ElfFile {
 public:
  explicit ElfFile(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (elf_version(EV_CURRENT) == EV_NONE) {
      throw broken("libelf is too old");
    }
    if (fd_.valid()) {
      elf_.reset(elf_begin(fd_.get(), ELF_C_READ_MMAP, nullptr));
    }
  }

  // Calls `visit` with the object, or with each object of the archive.
  void for_each_object(const std::function<void(Elf*)>& visit) const {
    if (elf_ == nullptr || elf_kind(elf_.get()) != ELF_K_AR) {
      if (elf_ != nullptr && elf_kind(elf_.get()) == ELF_K_ELF) {
        visit(elf_.get());
      }
      return;
    }
    Elf_Cmd command = ELF_C_READ_MMAP;
    while (command != ELF_C_NULL) {
      const ElfPointer member(elf_begin(fd_.get(), command, elf_.get()));
      if (member == nullptr) {
        return;
      }
      command = elf_next(member.get());
      if (elf_kind(member.get()) == ELF_K_ELF) {
        visit(member.get());
      }
    }
  }

 private:
  UniqueFd fd_;
  ElfPointer elf_;
};

struct Section {
  std::string_view name;
  GElf_Shdr header{};
};

struct Symbol {
  std::string_view name;
  GElf_Sym entry{};

  [[nodiscard]] bool defined() const { return entry.st_shndx != SHN_UNDEF; }
  [[nodiscard]] bool weak() const {
    const unsigned char binding = GELF_ST_BIND(entry.st_info);
    return binding == STB_WEAK || binding == STB_GNU_UNIQUE;
  }
};

// False: something of the file cannot be read.
bool for_each_section(Elf* elf, const std::function<void(const Section&)>& visit) {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) {
    return false;
  }
  for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(elf, scn)) != nullptr;) {
    Section section;
    if (gelf_getshdr(scn, &section.header) == nullptr) {
      return false;
    }
    const char* name = elf_strptr(elf, names, section.header.sh_name);
    if (name == nullptr) {
      return false;
    }
    section.name = name;
    visit(section);
  }
  return true;
}

// The symbols that other files can see, of the table of type `table`.
bool for_each_symbol(Elf* elf, GElf_Word table, const std::function<void(const Symbol&)>& visit) {
  for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(elf, scn)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(scn, &header) == nullptr) {
      return false;
    }
    if (header.sh_type != table) {
      continue;
    }
    Elf_Data* data = elf_getdata(scn, nullptr);
    const std::size_t size = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    if (data == nullptr || size == 0) {
      return false;
    }
    // The first one that is not local.
    for (std::size_t i = std::max<std::size_t>(header.sh_info, 1); i < data->d_size / size; ++i) {
      Symbol symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol.entry) == nullptr) {
        return false;
      }
      const char* name = elf_strptr(elf, header.sh_link, symbol.entry.st_name);
      if (name == nullptr) {
        return false;
      }
      symbol.name = name;
      if (GELF_ST_BIND(symbol.entry.st_info) != STB_LOCAL && !symbol.name.empty()) {
        visit(symbol);
      }
    }
  }
  return true;
}

std::string readable(std::string_view name) {
  int failed = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(std::string(name).c_str(), nullptr, nullptr, &failed), std::free);
  return failed == 0 && text != nullptr ? text.get() : std::string(name);
}

bool named_like(std::string_view name, std::string_view kind) {
  return name == kind || (name.starts_with(kind) && name[kind.size()] == '.');
}

bool usual(const Section& section) {
  constexpr std::array<GElf_Word, 13> types{
      SHT_NULL,         SHT_PROGBITS,      SHT_SYMTAB,     SHT_STRTAB,     SHT_RELA,
      SHT_NOBITS,       SHT_NOTE,          SHT_INIT_ARRAY, SHT_FINI_ARRAY, SHT_GROUP,
      SHT_SYMTAB_SHNDX, SHT_X86_64_UNWIND, 0x6fff4c03 /* clang's .llvm_addrsig */};
  constexpr std::array<std::string_view, 12> in_memory{
      ".text",  ".data", ".rodata",   ".bss",        ".tdata",      ".tbss",
      ".ldata", ".lbss", ".eh_frame", ".init_array", ".fini_array", ".gcc_except_table"};
  if (std::find(types.begin(), types.end(), section.header.sh_type) == types.end()) {
    return false;
  }
  return (section.header.sh_flags & SHF_ALLOC) == 0 || section.name.starts_with(".note") ||
         section.name == "asan_globals" ||
         std::any_of(in_memory.begin(), in_memory.end(),
                     [&](std::string_view kind) { return named_like(section.name, kind); });
}

// Whether a mangled name has something of the test or benchmark library's, or of the harness's.
bool of_the_harness(std::string_view name) {
  for (const std::string_view space : {"7testing", "9benchmark"}) {
    for (std::size_t at = name.find(space); at != std::string_view::npos;
         at = name.find(space, at + 1)) {
      if (name.starts_with("_Z") && std::isdigit(static_cast<unsigned char>(name[at - 1])) == 0) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> complaints_about_object(const fs::path& object) {
  std::vector<std::string> all;
  const auto complain = [&](const std::string& text) {
    if (std::find(all.begin(), all.end(), text) == all.end()) {
      all.push_back(text);
    }
  };
  bool whole = false;
  ElfFile(object).for_each_object([&](Elf* elf) {
    GElf_Ehdr header;
    whole = elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) != nullptr &&
            header.e_type == ET_REL;
    whole =
        for_each_section(elf,
                         [&](const Section& section) {
                           // Clang makes some that it leaves empty.
                           if (!usual(section) && section.header.sh_size != 0) {
                             complain("a slot may not have a section " + std::string(section.name));
                           }
                         }) &&
        whole;
    whole = for_each_symbol(
                elf, SHT_SYMTAB,
                [&](const Symbol& symbol) {
                  if (of_the_harness(symbol.name)) {
                    complain("a slot may not use or define " + readable(symbol.name) +
                             ": that is for tests");
                  } else if (symbol.defined() && symbol.name.find('@') != std::string_view::npos) {
                    complain("a slot may not give a version to " + readable(symbol.name));
                  } else if (GELF_ST_TYPE(symbol.entry.st_info) == STT_GNU_IFUNC) {
                    complain("a slot may not choose " + readable(symbol.name) +
                             " while the program is loaded");
                  }
                }) &&
            whole;
  });
  if (!whole) {
    complain("what was made of it is no object file");
  }
  return all;
}

std::vector<LinkComplaint> complaints_about_program(const fs::path& program,
                                                    const std::vector<LinkedSlot>& slots,
                                                    const std::vector<fs::path>& others) {
  struct Definition {
    const LinkedSlot* slot = nullptr;
    bool weak = false;
    bool told = false;
  };
  std::map<std::string, Definition, std::less<>> ours;
  for (const LinkedSlot& slot : slots) {
    ElfFile(slot.object).for_each_object([&](Elf* elf) {
      (void)for_each_symbol(elf, SHT_SYMTAB, [&](const Symbol& symbol) {
        if (symbol.defined()) {
          Definition& definition = ours[std::string(symbol.name)];
          if (definition.slot == nullptr || !symbol.weak()) {
            definition = {&slot, symbol.weak(), false};
          }
        }
      });
    });
  }
  std::vector<LinkComplaint> all;
  const auto look_at = [&](const fs::path& file, GElf_Word table, const std::string& whose,
                           const std::function<bool(const Symbol&, const Definition&)>& hidden) {
    ElfFile(file).for_each_object([&](Elf* elf) {
      (void)for_each_symbol(elf, table, [&](const Symbol& symbol) {
        const auto found = ours.find(symbol.name);
        if (found != ours.end() && symbol.defined() && !found->second.told &&
            hidden(symbol, found->second)) {
          found->second.told = true;
          all.push_back({found->second.slot->object, "a slot may not take the place of " +
                                                         readable(symbol.name) + ", which is " +
                                                         whose});
        }
      });
    });
  };
  // A linker shows libraries those of a program's definitions that they have, too. Templates and
  // inline functions of the standard library are weak, and everybody has them.
  look_at(program, SHT_DYNSYM, "the system's",
          [](const Symbol& symbol, const Definition& definition) {
            return !(definition.weak && symbol.name.starts_with("_Z")) &&
                   !definition.slot->replaces.contains(std::string(symbol.name));
          });
  for (const fs::path& other : others) {
    look_at(other, SHT_SYMTAB, "the course's",
            [](const Symbol& symbol, const Definition& definition) {
              return symbol.weak() && !definition.weak;
            });
  }
  return all;
}

}  // namespace goro::grader
