// What is wrong with the zip archive around a pickle is named.
#include "formats/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "formats/archive_error.h"
#include "formats/archives.h"
#include "relic/core/error.h"
#include "relic/formats/pth.h"
#include "support/resource_limit.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using testing::make_archive;
using testing::message_of;
using testing::ResourceLimit;
using testing::spit;
using testing::TemporaryFolder;

std::string sound_archive() {
  return make_archive({{"data.pkl", testing::pickle::whole("N")}, {"data/0", "zero"}, {"data/1", "one!"}});
}

void put(std::string& bytes, std::size_t at, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes.at(at + i) = static_cast<char>((value >> (8 * i)) & 0xFFU);
  }
}

std::size_t end_record(const std::string& bytes) { return bytes.rfind("PK\x05\x06"); }

/// Where the directory tells of the pickle.
std::size_t entry_of_pickle(const std::string& bytes) { return bytes.rfind("archive/data.pkl") - 46; }

/// Sends a reader to the zip64 directory.
void point_to_zip64(std::string& bytes) { put(bytes, end_record(bytes) + 16, 0xFFFFFFFFU, 4); }

TEST(ZipArchive, DamageIsNamed) {
  struct Case {
    void (*change)(std::string& bytes);
    const char* message;
  };
  const std::vector<Case> cases{
      {[](std::string& bytes) { bytes.resize(bytes.size() / 2); },
       "cut short: the zip directory at its end is missing; copy or write the file again"},
      {[](std::string& bytes) { put(bytes, end_record(bytes) + 16, 0x7FFFFFFFU, 4); },
       "damaged: the zip directory lies outside the file"},
      {[](std::string& bytes) { put(bytes, end_record(bytes) + 12, 0x7FFFFFFFU, 4); },
       "damaged: the zip directory lies outside the file"},
      {[](std::string& bytes) { put(bytes, entry_of_pickle(bytes), 0, 1); },
       "damaged: entry 0 of the zip directory is missing"},
      {[](std::string& bytes) { put(bytes, end_record(bytes) + 10, 1000, 2); }, " of the zip directory is missing"},
      {[](std::string& bytes) { put(bytes, bytes.rfind("PK\x01\x02") + 32, 1, 2); },  // a comment
       " of the zip directory is cut short"},
      {[](std::string& bytes) { put(bytes, bytes.rfind("archive/data/1") + 13, '0', 1); },
       "damaged: it holds archive/data/0 twice"},
      {[](std::string& bytes) {
         put(bytes, entry_of_pickle(bytes) + 20, 0x7FFFFFFFU, 4);
         put(bytes, entry_of_pickle(bytes) + 24, 0x7FFFFFFFU, 4);
       },
       "damaged: archive/data.pkl lies outside the file"},
      {[](std::string& bytes) { put(bytes, entry_of_pickle(bytes) + 42, 4, 4); },  // where no header is
       "damaged: archive/data.pkl lies outside the file"}};
  for (const auto& [change, message] : cases) {
    const TemporaryFolder folder;
    std::string bytes = sound_archive();
    change(bytes);
    spit(folder / "a.pth", bytes);
    EXPECT_THAT(message_of<ArchiveError>([&] { read_pth(folder / "a.pth"); }), HasSubstr(message));
  }
}

TEST(ZipArchive, TheZip64DirectoryIsReadAndMissed) {
  const TemporaryFolder folder;
  std::string wide = sound_archive();
  point_to_zip64(wide);
  spit(folder / "sound.pth", wide);
  EXPECT_TRUE(read_pth(folder / "sound.pth").isNone());

  std::string without_locator = wide;
  put(without_locator, end_record(wide) - 20, 0, 1);
  std::string without_record = wide;
  put(without_record, wide.rfind("PK\x06\x06"), 0, 1);
  const std::string alone = wide.substr(end_record(wide));
  for (const std::string& bytes : {without_locator, without_record, alone}) {
    spit(folder / "a.pth", bytes);
    EXPECT_THAT(message_of<ArchiveError>([&] { read_pth(folder / "a.pth"); }),
                HasSubstr("a.pth: damaged: the zip64 directory is missing"));
  }
}

TEST(ZipArchive, RecordsMustBeStoredPlainly) {
  struct Field {
    std::size_t at;
    std::uint32_t value;
  };
  // Encrypted; compressed; of another size than is stored.
  for (const auto [at, value] : {Field{8, 1}, {10, 8}, {20, 1}}) {
    const TemporaryFolder folder;
    std::string bytes = sound_archive();
    put(bytes, entry_of_pickle(bytes) + at, value, 2);
    spit(folder / "a.pth", bytes);
    EXPECT_THAT(message_of<ArchiveError>([&] { read_pth(folder / "a.pth"); }),
                HasSubstr("archive/data.pkl is compressed, encrypted or damaged; PyTorch stores its records plainly"));
  }
}

TEST(ZipArchive, AFileThatShrinksWhileItIsReadIsTold) {
  const TemporaryFolder folder;
  spit(folder / "a.pth", make_archive({{"data/0", std::string(100'000, 'x')}}));
  ZipArchive archive(folder / "a.pth");
  std::filesystem::resize_file(folder / "a.pth", 200);
  EXPECT_THAT(message_of<ReadFailure>([&] { archive.read("archive/data/0"); }),
              HasSubstr("a.pth: cannot be read at byte "));
}

TEST(ZipArchive, AFileThatCannotBeOpenedIsToldWithTheReason) {
  const TemporaryFolder folder;
  spit(folder / "a.pth", sound_archive());
  const auto reading = [&] {
    const ResourceLimit no_files(RLIMIT_NOFILE, 0);
    read_pth(folder / "a.pth");
  };
  EXPECT_THAT(message_of<Error>(reading), HasSubstr("a.pth: cannot be opened (Too many open files)"));
}

}  // namespace
}  // namespace relic
