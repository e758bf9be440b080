#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "relic/core/error.h"
#include "relic/data/dataset.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::spit;
using testing::TemporaryFolder;

constexpr int side = 96;
constexpr std::size_t stl10_image_bytes = 27648;

/// Where a pixel is, as a byte.
std::uint8_t pixel(int image, int channel, int row, int column) {
  return static_cast<std::uint8_t>(image * 50 + channel * 80 + row * 2 + column * 5);
}

/// As the official files hold them: planes one after another, each column by column.
std::string stl10_records(int first, int count) {
  std::string bytes;
  for (int image = first; image < first + count; ++image) {
    for (int channel = 0; channel < 3; ++channel) {
      for (int column = 0; column < side; ++column) {
        for (int row = 0; row < side; ++row) bytes += static_cast<char>(pixel(image, channel, row, column));
      }
    }
  }
  return bytes;
}

/// A small STL-10: four images without labels, three to train, two to test.
class Stl10 : public ::testing::Test {
 protected:
  Stl10() {
    spit(file("unlabeled_X.bin"), stl10_records(0, 4));
    spit(file("train_X.bin"), stl10_records(10, 3));
    spit(file("train_y.bin"), "\x01\x0a\x03");
    spit(file("test_X.bin"), stl10_records(20, 2));
    spit(file("test_y.bin"), "\x02\x02");
    spit(file("class_names.txt"), "airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n");
  }
  std::filesystem::path file(const std::string& name) { return folder_ / "stl10_binary" / name; }
  FoundDataset find(Split split, std::int64_t max_images = 0) {
    return find_dataset({.name = "stl10", .path = folder_.path(), .split = split, .max_images = max_images});
  }
  std::string failure(Split split) {
    std::string message = message_of<Error>([&] { find(split).open(); });
    EXPECT_THAT(message, ::testing::Not(HasSubstr("\n")));
    return message;
  }

  TemporaryFolder folder_;
};

void expect_stl10_images(const Dataset& dataset, int first) {
  Image scratch;
  for (std::int64_t index = 0; index < dataset.size(); ++index) {
    const ImageRef image = dataset.image(index, scratch);
    ASSERT_EQ(image.width, side);
    ASSERT_EQ(image.height, side);
    for (int row = 0; row < side; ++row) {
      for (int column = 0; column < side; ++column) {
        for (int channel = 0; channel < 3; ++channel) {
          ASSERT_EQ(image.pixels[3 * (row * side + column) + channel],
                    pixel(first + static_cast<int>(index), channel, row, column));
        }
      }
    }
  }
}

TEST_F(Stl10, PretrainsOnTheImagesWithoutLabels) {
  const FoundDataset found = find(Split::pretraining);
  EXPECT_EQ(found.size, 4);
  EXPECT_TRUE(found.separate_labels);
  const auto dataset = found.open();
  ASSERT_EQ(dataset->size(), 4);
  expect_stl10_images(*dataset, 0);
  EXPECT_EQ(dataset->label(3), -1);
}

TEST_F(Stl10, ScoresOnTheLabelledSplits) {
  const auto train = find(Split::train).open();
  ASSERT_EQ(train->size(), 3);
  expect_stl10_images(*train, 10);
  EXPECT_EQ(train->label(0), 0);
  EXPECT_EQ(train->label(1), 9);
  EXPECT_EQ(train->label(2), 2);
  EXPECT_EQ(train->class_names()[9], "truck");
  const auto test = find(Split::test).open();
  ASSERT_EQ(test->size(), 2);
  expect_stl10_images(*test, 20);
  EXPECT_EQ(test->label(1), 1);
}

TEST_F(Stl10, TakesTheFirstImages) {
  EXPECT_EQ(find(Split::pretraining, 2).open()->size(), 2);
  EXPECT_EQ(find(Split::pretraining, 9).size, 4);
}

TEST_F(Stl10, SaysHowToGetIt) {
  std::filesystem::remove_all(folder_ / "stl10_binary");
  EXPECT_THAT(failure(Split::pretraining),
              ::testing::AllOf(HasSubstr((folder_ / "stl10_binary").string()), HasSubstr("stl10_binary.tar.gz")));
}

TEST_F(Stl10, NamesFileAndPlaceOfWhatIsWrong) {
  spit(file("unlabeled_X.bin"), stl10_records(0, 2).substr(0, stl10_image_bytes + 5));
  EXPECT_THAT(failure(Split::pretraining), HasSubstr("unlabeled_X.bin: 27653 bytes"));
  spit(file("train_y.bin"), "\x01\x0b\x03");
  EXPECT_THAT(failure(Split::train), HasSubstr("train_y.bin: label 11 at byte 1"));
  spit(file("test_y.bin"), "\x01");
  EXPECT_THAT(failure(Split::test), HasSubstr("test_X.bin: holds 2 images, and test_y.bin another number"));
  std::filesystem::remove(file("test_y.bin"));
  EXPECT_THAT(failure(Split::test), HasSubstr("test_y.bin: No such file"));
}

TEST_F(Stl10, AFileThatShrinksWhileItIsReadIsAnError) {
  const auto dataset = find(Split::pretraining).open();
  std::filesystem::resize_file(file("unlabeled_X.bin"), 3 * stl10_image_bytes + 100);
  Image scratch;
  EXPECT_THAT(message_of<Error>([&] { dataset->image(3, scratch); }),
              HasSubstr("unlabeled_X.bin: cannot be read at byte 83044: it ends there"));
}

}  // namespace
}  // namespace relic
