#include "archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>

#include "problem.h"
#include "submission.h"
#include "test_folder.h"

namespace goro::grader {
namespace {

// One entry of an archive that is to be packed, as hostile as one likes.
struct Entry {
  std::string name;
  std::string content = {};
  std::function<void(struct archive_entry*)> change =
      {};  // from an ordinary file to something else
};

using Prepare = std::function<int(struct archive*)>;

int as_tar(struct archive* out) {
  return ::archive_write_set_format_gnutar(out);
}

class ArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fresh_course();
    file_ = root_.parent_path() / "alice.tar";
  }

  void pack(const std::vector<Entry>& entries, const Prepare& format = as_tar,
            const Prepare& filter = {}) const {
    struct archive* const out = ::archive_write_new();
    ASSERT_EQ(format(out), ARCHIVE_OK);
    if (filter) {
      ASSERT_EQ(filter(out), ARCHIVE_OK);
    }
    ASSERT_EQ(::archive_write_open_filename(out, file_.c_str()), ARCHIVE_OK);
    for (const Entry& entry : entries) {
      struct archive_entry* const header = ::archive_entry_new();
      ::archive_entry_set_pathname(header, entry.name.c_str());
      ::archive_entry_set_filetype(header, AE_IFREG);
      ::archive_entry_set_perm(header, 0644);
      ::archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
      if (entry.change) {
        entry.change(header);
      }
      ASSERT_GE(::archive_write_header(out, header), ARCHIVE_WARN) << entry.name;
      (void)::archive_write_data(out, entry.content.data(), entry.content.size());
      ::archive_entry_free(header);
    }
    ASSERT_EQ(::archive_write_free(out), ARCHIVE_OK);
  }

  [[nodiscard]] SlotFiles take(const std::string& lab) const {
    const Course course(root_);
    return Submission::open(file_, course).take(course.lab(lab));
  }

  // The one line with which the archive is refused.
  [[nodiscard]] std::string refusal(const ArchiveLimits& limits = {}) const {
    try {
      (void)read_archive(file_, Course(root_), limits);
    } catch (const Problem& problem) {
      EXPECT_EQ(problem.status(), ExitStatus::wrong_use);
      const std::string text = problem.what();
      EXPECT_EQ(text.find_first_of("\n\x1b"), std::string::npos) << text;
      return text;
    }
    return "it was taken";
  }

  void expect_refused(const std::string& why, const ArchiveLimits& limits = {}) const {
    EXPECT_EQ(refusal(limits), "the submission " + file_.string() + " " + why);
  }

  fs::path root_;
  fs::path file_;
};

TEST_F(ArchiveTest, EveryKindIsTaken) {
  const std::vector<Entry> files{{"01-sum/sum.cpp", "the sum"}, {"02-ring/ring.cpp", "the ring"}};
  for (const auto& [format, filter] :
       std::vector<std::pair<Prepare, Prepare>>{{as_tar, {}},
                                                {as_tar, ::archive_write_add_filter_gzip},
                                                {as_tar, ::archive_write_add_filter_xz},
                                                {as_tar, ::archive_write_add_filter_zstd},
                                                {::archive_write_set_format_pax, {}},
                                                {::archive_write_set_format_zip, {}}}) {
    pack(files, format, filter);
    EXPECT_EQ(take("1").contents.at("sum.cpp"), "the sum");
    EXPECT_EQ(take("2").contents.at("ring.cpp"), "the ring");
    EXPECT_EQ(take("2").problem, "");
  }
}

TEST_F(ArchiveTest, TheLabsMayLieWhereProgramsThatPackPutThem) {
  for (const std::string where : {"", "./", "labs/", "alice/", "./alice/", "course-main/labs/"}) {
    pack({{where + "README.md", "hello"},
          {"__MACOSX/._x", "a Mac's"},
          {where + "01-sum/sum.cpp", "the sum"}});
    EXPECT_EQ(take("1").contents.at("sum.cpp"), "the sum") << where;
  }
}

TEST_F(ArchiveTest, SolutionsOfAWholeCloneAreNotTaken) {
  pack({{"clone/solutions/01-sum/sum.cpp", "theirs"}, {"clone/labs/01-sum/sum.cpp", "mine"}});
  EXPECT_EQ(take("1").contents.at("sum.cpp"), "mine");
}

TEST_F(ArchiveTest, OfTwoPeoplesFoldersNoneIsTaken) {
  pack({{"alice/01-sum/sum.cpp", "hers"}, {"bob/01-sum/sum.cpp", "his"}});
  const Course course(root_);
  EXPECT_THROW((void)Submission::open(file_, course), Problem);
}

TEST_F(ArchiveTest, SlotFilesAndNothingElse) {
  pack({{"01-sum/sum.cpp", "the sum"}, {"01-sum/lab.json", "{}"}, {"01-sum/deep/sum.cpp", "no"}});
  EXPECT_EQ(take("1").contents, (std::map<std::string, std::string>{{"sum.cpp", "the sum"}}));
  EXPECT_EQ(take("2").problem, "the folder 02-ring is missing from the submission");
}

TEST_F(ArchiveTest, WhatIsNoOrdinaryFileIsNotTaken) {
  const auto made = [](unsigned type) {
    return [type](struct archive_entry* entry) {
      ::archive_entry_set_filetype(entry, type);
      if (type == AE_IFLNK) {
        ::archive_entry_set_symlink(entry, "../../solutions/01-sum/sum.cpp");
      }
    };
  };
  pack({{"01-sum/sum.cpp", "", made(AE_IFLNK)}});
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is a symbolic link; it must be an ordinary file");
  pack({{"other", "x"}, {"01-sum/sum.cpp", "", [](struct archive_entry* entry) {
                           ::archive_entry_set_hardlink(entry, "other");
                         }}});
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is a symbolic link; it must be an ordinary file");
  pack({{"01-sum/sum.cpp", "", made(AE_IFCHR)}});
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is a special file; it must be an ordinary file");
  pack({{"01-sum/sum.cpp", "", made(AE_IFIFO)}});
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is a special file; it must be an ordinary file");
  pack({{"01-sum/sum.cpp", "", made(AE_IFDIR)}});
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is a folder; it must be an ordinary file");
  pack({{"01-sum", "", made(AE_IFLNK)}, {"01-sum/sum.cpp", "behind the link"}});
  EXPECT_EQ(take("1").problem,
            "the folder 01-sum is a symbolic link; it must be an ordinary folder");
}

TEST_F(ArchiveTest, AFileTwiceIsNotTaken) {
  pack({{"01-sum/sum.cpp", "one"}, {"./01-sum//sum.cpp", "another"}});
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp stands in the archive twice");
}

TEST_F(ArchiveTest, NamesThatLeadOutAreRefused) {
  pack({{"01-sum/sum.cpp", "x"}, {"../../escaped.cpp", "x"}});
  expect_refused("holds the name \"../../escaped.cpp\", which leads out of it");
  pack({{"/etc/passwd", "x"}});
  expect_refused("holds the name \"/etc/passwd\", which leads out of it");
  pack({{"a\n\x1b[2J/../b", "x"}});
  expect_refused("holds the name \"a\\n\\x1b[2J/../b\", which leads out of it");
}

TEST_F(ArchiveTest, StrangeNamesAreNoBodys) {
  pack({{"01-sum/sum.cpp", "the sum"},
        {"01-sum/sum.cpp\n", "not it"},
        {"01-sum/\x1b[2J.cpp", "nor this"},
        {"\xff\xfe", "nor this"}});
  EXPECT_EQ(take("1").contents, (std::map<std::string, std::string>{{"sum.cpp", "the sum"}}));
}

TEST_F(ArchiveTest, ALargeFileCostsItsLabOnly) {
  pack({{"01-sum/sum.cpp", std::string(2 << 20, ' ')}, {"02-ring/ring.cpp", "the ring"}});
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is larger than 1 MB");
  EXPECT_EQ(take("2").contents.at("ring.cpp"), "the ring");
}

TEST_F(ArchiveTest, BombsAreRefused) {
  const std::string zeros(8 << 20, '\0');
  const ArchiveLimits few_bytes{.unpacked_bytes = 4 << 20};
  pack({{"zeros", zeros}, {"01-sum/sum.cpp", "x"}}, as_tar, ::archive_write_add_filter_zstd);
  expect_refused("unpacks to more than 4 MB; slot files alone are far less", few_bytes);
  pack(std::vector<Entry>(20, {"01-sum/sum.cpp", std::string(1 << 19, ' ')}),
       ::archive_write_set_format_zip);
  expect_refused("unpacks to more than 4 MB; slot files alone are far less", few_bytes);
  pack(std::vector<Entry>(20, {"01-sum/other.cpp", "x"}));
  expect_refused("holds more than 10 files", {.entries = 10});
  pack({{"01-sum/sum.cpp", "x"}}, as_tar, [](struct archive* out) {
    return ::archive_write_add_filter_gzip(out) == ARCHIVE_OK ? ::archive_write_add_filter_gzip(out)
                                                              : ARCHIVE_FATAL;
  });
  expect_refused("is compressed more than once");
}

TEST_F(ArchiveTest, WhatIsNoArchiveIsRefused) {
  for (const std::string content : {"#include <iostream>\n", "", "\x1f\x8b\x08 no more"}) {
    write_file_atomically(file_, content);
    EXPECT_TRUE(refusal().starts_with("the submission " + file_.string())) << refusal();
  }
  fs::remove(file_);
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  expect_refused("cannot be read");
}

TEST_F(ArchiveTest, ADamagedArchiveIsRefused) {
  pack({{"01-sum/sum.cpp", std::string(1 << 19, 'x')}}, as_tar, ::archive_write_add_filter_gzip);
  const std::string whole = read_file(file_);
  write_file_atomically(file_, whole.substr(0, whole.size() / 2));
  EXPECT_NE(refusal().find("alice.tar cannot be unpacked: "), std::string::npos) << refusal();
}

}  // namespace
}  // namespace goro::grader
