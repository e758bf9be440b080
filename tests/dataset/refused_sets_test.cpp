// What is said of data sets whose own files are missing, empty, or do not fit each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "relic/core/error.h"
#include "relic/data/dataset.h"
#include "relic/data/download.h"
#include "support/resource_limit.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;
using testing::ResourceLimit;
using testing::spit;
using testing::TemporaryFolder;

/// Where every file ends, whatever its size says.
off_t end_of_files = std::numeric_limits<off_t>::max();

/// As if files were cut between the look at their size and the reading.
class FilesEndAt {
 public:
  explicit FilesEndAt(off_t byte) { end_of_files = byte; }
  ~FilesEndAt() { end_of_files = std::numeric_limits<off_t>::max(); }
  FilesEndAt(const FilesEndAt&) = delete;
  FilesEndAt& operator=(const FilesEndAt&) = delete;
};

constexpr const char* ten_names = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";

/// So many CIFAR-10 records: black images of the first class.
std::string cifar10_records(std::size_t count) { return std::string(count * 3073, '\0'); }

std::string refusal(const std::string& dataset, const fs::path& path, Split split = Split::train) {
  std::string message = message_of<Error>([&] { open_dataset({.name = dataset, .path = path, .split = split}); });
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  return message;
}

struct RefusedSet {
  std::string dataset;
  Split split;
  std::map<std::string, std::string> files;  ///< no others are there
  std::string words;
};

std::vector<RefusedSet> refusals() {
  const std::string stl10_image(27648, '\0');
  return {
      {"cifar10",
       Split::test,
       {{"cifar-10-batches-bin/batches.meta.txt", ten_names}},
       "test_batch.bin: No such file or directory; unpack the CIFAR-10 archive again"},
      {"cifar10",
       Split::train,
       {{"cifar-10-batches-bin/data_batch_1.bin", cifar10_records(3)},
        {"cifar-10-batches-bin/data_batch_2.bin", cifar10_records(2)}},
       "data_batch_2.bin: ends at byte 6146, after 2 records, where data_batch_1.bin holds 3; unpack the archive "
       "again"},
      {"stl10",
       Split::pretraining,
       {{"stl10_binary/class_names.txt", ten_names}},
       "unlabeled_X.bin: No such file or directory; unpack the STL-10 archive again"},
      {"stl10",
       Split::test,
       {{"stl10_binary/test_X.bin", stl10_image},
        {"stl10_binary/test_y.bin", "\x01"},
        {"stl10_binary/class_names.txt", "bird\ncar\n"}},
       "class_names.txt: 2 class names, where 10 are expected"},
      {"tiny_imagenet",
       Split::test,
       {{"tiny-imagenet-200/wnids.txt", "\n"}, {"tiny-imagenet-200/val/val_annotations.txt", "0.JPEG\tn01\n"}},
       "wnids.txt: names no class; unpack the archive again"},
      {"tiny_imagenet",
       Split::test,
       {{"tiny-imagenet-200/wnids.txt", "n01\n"}, {"tiny-imagenet-200/val/val_annotations.txt", "\n"}},
       "val_annotations.txt: names no image; unpack the archive again"},
      {"food101",
       Split::train,
       {{"food-101/meta/classes.txt", "apple_pie\n"}, {"food-101/meta/train.txt", ""}},
       "train.txt: names no image; unpack the archive again"},
      {"imagenet1k",
       Split::train,
       {{"imagenet1k/train/n01440764/1.jpg", ""}, {"imagenet1k/train/n01440764/2.jpg", ""}},
       "imagenet1k/train: a folder of images for each class (n01440764, …) is expected here"},
  };
}

TEST(RefusedSets, AFileThatLacksWhatItShouldHoldIsNamed) {
  for (const RefusedSet& expected : refusals()) {
    SCOPED_TRACE(expected.words);
    const TemporaryFolder folder;
    for (const auto& [name, contents] : expected.files) spit(folder / name, contents);
    EXPECT_THAT(refusal(expected.dataset, folder.path(), expected.split), EndsWith(expected.words));
  }
}

TEST(RefusedSets, TheFolderOfASetItselfIsToldFromTheOneAbove) {
  for (const char* name : {"cifar10", "stl10", "tiny_imagenet", "food101"}) {
    SCOPED_TRACE(name);
    const ArchiveSource& archive = *official_archive(name);
    const TemporaryFolder folder;
    fs::create_directory(folder / archive.folder);
    EXPECT_THAT(refusal(name, folder / archive.folder),
                EndsWith(": is the folder of " + archive.title + " itself; name the folder above: --dataset_path " +
                         folder.path().string()));
  }
}

TEST(RefusedSets, AFolderThatCannotBeReadIsNamed) {
  const TemporaryFolder folder;
  std::string message;
  {
    const ResourceLimit no_more_files(RLIMIT_NOFILE, 0);
    message = refusal("folder", folder.path());
  }
  EXPECT_EQ(message, "cannot read the folder " + folder.path().string() + ": Too many open files");
}

TEST(RefusedSets, ACifar10FileThatShrinksWhileItIsReadIsNamed) {
  const TemporaryFolder folder;
  spit(folder / "cifar-10-batches-bin/batches.meta.txt", ten_names);
  spit(folder / "cifar-10-batches-bin/test_batch.bin", cifar10_records(2));
  const FilesEndAt byte(4000);
  EXPECT_THAT(refusal("cifar10", folder.path(), Split::test),
              EndsWith("test_batch.bin: ends at byte 4000 while it is being read"));
}

}  // namespace
}  // namespace relic

// Takes the place of the C library's own in this executable.
extern "C" ssize_t read(int descriptor, void* to, std::size_t size) {
  if (relic::end_of_files != std::numeric_limits<off_t>::max()) {
    const off_t at = ::lseek(descriptor, 0, SEEK_CUR);
    size = std::min(size, static_cast<std::size_t>(std::max<off_t>(relic::end_of_files - at, 0)));
  }
  return ::syscall(SYS_read, descriptor, to, size);
}
