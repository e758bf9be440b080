#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "relic/core/error.h"
#include "relic/data/dataset.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;
using testing::spit;
using testing::TemporaryFolder;

constexpr int plane = 1024;
constexpr int record = 3073;

std::uint8_t expected_pixel(int image, int channel, int position) {
  return static_cast<std::uint8_t>(image * 7 + channel * 85 + position * 3 + position / 32);
}

/// `count` records from image number `first` on, as the official files hold them: planes one after another.
std::string cifar10_records(int first, int count) {
  std::string bytes;
  for (int image = first; image < first + count; ++image) {
    bytes += static_cast<char>(image % 10);
    for (int channel = 0; channel < 3; ++channel) {
      for (int position = 0; position < plane; ++position) {
        bytes += static_cast<char>(expected_pixel(image, channel, position));
      }
    }
  }
  return bytes;
}

/// A small CIFAR-10: three images in each training file, two in the test file.
class Cifar10 : public ::testing::Test {
 protected:
  Cifar10() {
    for (int batch = 0; batch < 5; ++batch) {
      spit(file("data_batch_" + std::to_string(batch + 1) + ".bin"), cifar10_records(3 * batch, 3));
    }
    spit(file("test_batch.bin"), cifar10_records(100, 2));
    spit(file("batches.meta.txt"), "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
  }
  std::filesystem::path file(const std::string& name) { return folder_ / "cifar-10-batches-bin" / name; }
  std::unique_ptr<Dataset> open(Split split = Split::train, std::int64_t max_images = 0) {
    return open_dataset({.name = "cifar10", .path = folder_.path(), .split = split, .max_images = max_images});
  }
  std::string failure(std::int64_t max_images = 0) {
    std::string message = message_of<Error>([&] { open(Split::train, max_images); });
    EXPECT_THAT(message, Not(HasSubstr("\n")));
    return message;
  }

  TemporaryFolder folder_;
};

void expect_cifar10_images(const Dataset& dataset, int first) {
  Image scratch;
  for (std::int64_t index = 0; index < dataset.size(); ++index) {
    const int number = first + static_cast<int>(index);
    const ImageRef image = dataset.image(index, scratch);
    ASSERT_EQ(dataset.label(index), number % 10);
    ASSERT_EQ(image.width, 32);
    ASSERT_EQ(image.height, 32);
    for (int position = 0; position < plane; ++position) {
      for (int channel = 0; channel < 3; ++channel) {
        ASSERT_EQ(image.pixels[3 * position + channel], expected_pixel(number, channel, position));
      }
    }
  }
}

TEST_F(Cifar10, ReadsAllTrainingFilesInterleaved) {
  const auto dataset = open();
  EXPECT_EQ(dataset->size(), 15);
  expect_cifar10_images(*dataset, 0);
  EXPECT_EQ(dataset->class_names().size(), 10U);
  EXPECT_EQ(dataset->class_names()[9], "truck");
}

TEST_F(Cifar10, ReadsTheTestFile) {
  const auto dataset = open(Split::test);
  EXPECT_EQ(dataset->size(), 2);
  expect_cifar10_images(*dataset, 100);
}

TEST_F(Cifar10, ReadsOnlyTheFilesItNeeds) {
  std::filesystem::remove(file("data_batch_3.bin"));
  const auto dataset = open(Split::train, 5);
  EXPECT_EQ(dataset->size(), 5);
  expect_cifar10_images(*dataset, 0);
  EXPECT_THAT(failure(7), HasSubstr(file("data_batch_3.bin").string() + ": No such file or directory"));
}

TEST_F(Cifar10, ReadsOnlyTheRecordsItNeeds) {
  std::string bytes = cifar10_records(0, 3);
  bytes[2 * record] = 77;  // the third image's label
  spit(file("data_batch_1.bin"), bytes);
  EXPECT_EQ(open(Split::train, 2)->size(), 2);
}

TEST_F(Cifar10, IsWholeWhereMoreIsAskedFor) { EXPECT_EQ(open(Split::train, 1000)->size(), 15); }

TEST_F(Cifar10, SaysWhereItLookedAndHowToGetIt) {
  const std::string path = (folder_ / "elsewhere").string();
  const std::string message = message_of<Error>([&] { open_dataset({.name = "cifar10", .path = path}); });
  EXPECT_THAT(message, HasSubstr(path + "/cifar-10-batches-bin"));
  EXPECT_THAT(message, HasSubstr("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"));
  EXPECT_THAT(message, HasSubstr("--no_download"));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

TEST_F(Cifar10, KnowsItsOwnFolderFromTheOneAbove) {
  const auto refusal = [](const std::filesystem::path& path) {
    return message_of<Error>([&] { open_dataset({.name = "cifar10", .path = path}); });
  };
  const auto folder = folder_ / "cifar-10-batches-bin";
  const std::string above = "name the folder above: --dataset_path " + folder_.path().string();
  EXPECT_THAT(refusal(folder), ::testing::EndsWith(above));
  EXPECT_THAT(refusal(folder / ""), ::testing::EndsWith(above));
  std::filesystem::rename(folder, folder_ / "cifar");
  EXPECT_THAT(refusal(folder_ / "cifar"), ::testing::EndsWith("a folder of it named cifar-10-batches-bin"));
}

TEST_F(Cifar10, NamesTheOffsetOfACutFile) {
  spit(file("data_batch_2.bin"), cifar10_records(3, 3).substr(0, 2 * record + 100));
  const std::string message = failure();
  EXPECT_THAT(message, HasSubstr(file("data_batch_2.bin").string()));
  EXPECT_THAT(message, HasSubstr("at byte 6246"));
  EXPECT_THAT(message, HasSubstr("starts at 6146"));
}

TEST_F(Cifar10, NamesTheOffsetOfAnImpossibleLabel) {
  std::string bytes = cifar10_records(3, 3);
  bytes[record] = 10;
  spit(file("data_batch_2.bin"), bytes);
  const std::string message = failure();
  EXPECT_THAT(message, HasSubstr(file("data_batch_2.bin").string()));
  EXPECT_THAT(message, HasSubstr("label 10 at byte 3073"));
}

TEST_F(Cifar10, RefusesAnEmptyFile) {
  spit(file("data_batch_5.bin"), "");
  EXPECT_THAT(failure(), HasSubstr(file("data_batch_5.bin").string() + ": empty (0 bytes)"));
}

TEST_F(Cifar10, RefusesAnUnreadableListOfClasses) {
  spit(file("batches.meta.txt"), "airplane\nautomobile\n");
  EXPECT_THAT(failure(), HasSubstr("batches.meta.txt: 2 class names"));
  std::filesystem::remove(file("batches.meta.txt"));
  EXPECT_THAT(failure(), HasSubstr("batches.meta.txt: No such file or directory"));
}

}  // namespace
}  // namespace relic
