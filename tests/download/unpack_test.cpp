// Archives of which nobody knows who made them.
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <utility>

#include "core/failing_calls.h"
#include "download/download_test.h"

namespace relic::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Unpacking : public Download {
 protected:
  std::string url_of(const std::string& archive) {
    spit(elsewhere_ / "archive", archive);
    return "file://" + (elsewhere_ / "archive").string();
  }
  /// A sound archive with one entry more, and what is said of it; nothing of it may be anywhere.
  std::string failure_with(const Entry& entry, ArchiveKind kind = ArchiveKind::tar_gz) {
    auto entries = small_entries(1);
    entries.push_back(entry);
    std::string message = failure(url_of(make_archive(entries, kind)));
    EXPECT_THAT(folder_.names(), IsEmpty());
    EXPECT_THAT(elsewhere_.names(), ElementsAre("archive"));
    return message;
  }

  TemporaryFolder elsewhere_;
};

TEST_F(Unpacking, TakesTarAndZip) {
  for (const ArchiveKind kind : {ArchiveKind::tar, ArchiveKind::tar_gz, ArchiveKind::zip}) {
    provide(url_of(make_archive(small_entries(3), kind)));
    expect_small(3);
    std::filesystem::remove_all(folder_ / "small");
  }
}

TEST_F(Unpacking, TakesFoldersThatNoEntryNamesAndNamesThatBeginWithADot) {
  provide(url_of(make_archive({{"./small/train/n01/a.jpg", "one"}, {"small//train/./n02/b.jpg", "two"}})));
  EXPECT_EQ(slurp(folder_ / "small/train/n01/a.jpg"), "one");
  EXPECT_EQ(slurp(folder_ / "small/train/n02/b.jpg"), "two");
}

TEST_F(Unpacking, WorksInAFolderReachedThroughALink) {
  const TemporaryFolder links;
  std::filesystem::create_directory_symlink(folder_.path(), links / "data");
  const ArchiveSource source{.title = "Small", .url = url_of(small_archive()), .folder = "small"};
  provide_archive(links / "data", source, options_);
  expect_small();
}

TEST_F(Unpacking, LeavesOutWhatIsBesideTheFolder) {
  auto entries = small_entries(1);
  entries.push_back({"__MACOSX/._small", "of no use"});
  entries.push_back({"README", "of no use"});
  provide(url_of(make_archive(entries)));
  expect_small();
}

TEST_F(Unpacking, RefusesNamesThatLeadOut) {
  EXPECT_THAT(failure_with({"../outside.txt", "x"}),
              HasSubstr("holds the name '../outside.txt', which leads out of it; nothing of this archive is used"));
  EXPECT_THAT(failure_with({"small/../../outside.txt", "x"}), HasSubstr("'small/../../outside.txt'"));
  EXPECT_THAT(failure_with({"small/../../outside.txt", "x"}, ArchiveKind::zip), HasSubstr("outside.txt"));
  EXPECT_THAT(failure_with({"small/..", "", EntryKind::folder}), HasSubstr("'small/../'"));
}

TEST_F(Unpacking, RefusesAbsoluteNames) {
  const TemporaryFolder target;
  const std::string name = (target / "planted.txt").string();
  EXPECT_THAT(failure_with({name, "x"}, ArchiveKind::tar), HasSubstr("holds the absolute name '" + name + "'"));
  EXPECT_THAT(target.names(), IsEmpty());
}

TEST_F(Unpacking, RefusesANameThatIsEmpty) {
  EXPECT_THAT(failure_with({"", "x"}), HasSubstr("holds an entry without a (readable) name"));
}

TEST_F(Unpacking, RefusesSymbolicLinksAndWhatIsWrittenThroughThem) {
  const TemporaryFolder target;
  EXPECT_THAT(failure_with({"small/link", target.path().string(), EntryKind::symbolic_link}),
              AllOf(HasSubstr("'small/link'"), HasSubstr("symbolic link")));
  const auto archive =
      make_archive({{"small/link", target.path().string(), EntryKind::symbolic_link}, {"small/link/planted.txt", "x"}});
  failure(url_of(archive));
  EXPECT_THAT(target.names(), IsEmpty());
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Unpacking, RefusesHardLinksToElsewhere) {
  EXPECT_THAT(failure_with({"small/link", "/etc/passwd", EntryKind::hard_link}), HasSubstr("'/etc/passwd'"));
  EXPECT_THAT(failure_with({"small/link", "../archive", EntryKind::hard_link}), HasSubstr("'../archive'"));
  EXPECT_THAT(failure_with({"small/link", "other/file", EntryKind::hard_link}),
              HasSubstr("'small/link' is a link to 'other/file', outside of the folder small"));
}

TEST_F(Unpacking, TakesHardLinksWithin) {
  auto entries = small_entries(1);
  entries.push_back({"small/again.txt", "small/names.txt", EntryKind::hard_link});
  provide(url_of(make_archive(entries)));
  expect_small();
  EXPECT_EQ(slurp(folder_ / "small/again.txt"), "cat\ndog\n");
}

TEST_F(Unpacking, RefusesDevicesAndPipes) {
  EXPECT_THAT(failure_with({"small/null", "", EntryKind::device}),
              HasSubstr("'small/null' is a device, where only files and folders are expected"));
  EXPECT_THAT(failure_with({"small/pipe", "", EntryKind::pipe}), HasSubstr("'small/pipe' is a pipe, where only"));
}

/// A zip whose last entry says, by its mode, that it is something else than a file.
std::string zip_with_mode(std::string zip, unsigned mode) {
  const std::size_t at = zip.rfind("PK\x01\x02") + 40;  // the upper half of the entry's external attributes
  zip[at] = static_cast<char>(mode & 0xFFU);
  zip[at + 1] = static_cast<char>(mode >> 8U);
  return zip;
}

TEST_F(Unpacking, RefusesOtherKindsThatAZipCanName) {
  const std::string zip = make_archive(small_entries(1), ArchiveKind::zip);
  for (const auto& [mode, kind] : {std::pair{0140644U, "a socket"}, std::pair{0030644U, "of an unknown kind"}}) {
    EXPECT_THAT(failure(url_of(zip_with_mode(zip, mode))),
                HasSubstr(std::string("'small/names.txt' is ") + kind + ", where only files and folders are expected"));
    EXPECT_THAT(folder_.names(), IsEmpty());
  }
}

TEST_F(Unpacking, TakesNoSpecialModes) {
  provide(url_of(make_archive({{"small/", "", EntryKind::folder, 0500}, {"small/tool", "x", EntryKind::file, 06777}})));
  struct stat status = {};
  ASSERT_EQ(::stat((folder_ / "small/tool").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07111U, 0U);
  ASSERT_EQ(::stat((folder_ / "small").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0700U, 0700U);
}

TEST_F(Unpacking, RefusesAnArchiveWithoutTheFolder) {
  EXPECT_THAT(
      failure(url_of(make_archive({{"other/names.txt", "x"}}))),
      HasSubstr("holds no folder small (its last name is 'other/names.txt'); it is not the archive of this data"));
  EXPECT_THAT(failure(url_of(make_archive({{"small", "a file of that name"}}))), HasSubstr("no folder small"));
  EXPECT_THAT(failure(url_of(make_archive({}))), HasSubstr("no folder small"));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Unpacking, ANameThatWouldBreakTheLineIsMadePrintable) {
  EXPECT_THAT(failure_with({"small/\n\033[31m", "x", EntryKind::pipe}), HasSubstr("small/??[31m"));
}

TEST_F(Unpacking, RefusesCutAndDamagedArchives) {
  const std::string tar = small_archive();
  EXPECT_THAT(failure(url_of(tar.substr(0, tar.size() / 2))), HasSubstr("damaged in 'small/images.bin'"));
  std::string zip = make_archive(small_entries(1), ArchiveKind::zip);
  zip[zip.size() / 2] = static_cast<char>(zip[zip.size() / 2] + 1);
  EXPECT_THAT(failure(url_of(zip)), HasSubstr("damaged in 'small/images.bin'"));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Unpacking, AFullDiskIsToldWithWhatTheFolderNeeds) {
  const std::string url = url_of(small_archive());
  {
    const FailingCall full(Call::write, 2, ENOSPC);
    EXPECT_THAT(failure(url), AllOf(HasSubstr("No space left on device"),
                                    HasSubstr("the folder small needs 200.0 KB there"), HasSubstr("free some space")));
  }
  EXPECT_THAT(folder_.names(), IsEmpty());
  provide(url);
  expect_small();
}

TEST_F(Unpacking, StopsBetweenTwoBlocks) {
  options_.stop = [&] { return std::filesystem::exists(folder_ / "small.relic-unpacking/small/images.bin"); };
  EXPECT_THROW(provide(url_of(small_archive())), Interrupted);
  EXPECT_THAT(folder_.names(), IsEmpty());
}

}  // namespace
}  // namespace relic::testing
