#include "relic/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

TEST(DatasetInfo, HasTheOriginalsSizes) {
  EXPECT_EQ(dataset_info("stl10").image_size, 96);
  EXPECT_EQ(dataset_info("cifar10").image_size, 32);
  EXPECT_EQ(dataset_info("tiny_imagenet").image_size, 64);
  EXPECT_EQ(dataset_info("food101").image_size, 192);
  EXPECT_EQ(dataset_info("imagenet1k").image_size, 192);
  EXPECT_EQ(dataset_info("shapes").image_size, 32);
  EXPECT_EQ(dataset_info("folder").image_size, 192);
  EXPECT_EQ(dataset_names().size(), 7U);
}

TEST(DatasetInfo, MarksWhatIsDrawnByUs) {
  for (const std::string& name : dataset_names()) {
    EXPECT_EQ(dataset_info(name).synthetic, name == "shapes") << name;
  }
}

TEST(DatasetInfo, SuggestsTheNearestName) {
  EXPECT_THAT(message_of<UsageError>([] { dataset_info("cifra10"); }), HasSubstr("did you mean 'cifar10'?"));
  EXPECT_THAT(message_of<UsageError>([] { dataset_info("imagenet"); }), HasSubstr("did you mean 'imagenet1k'?"));
  EXPECT_THAT(message_of<UsageError>([] { dataset_info("tinyimagenet"); }), HasSubstr("did you mean 'tiny_imagenet'?"));
  EXPECT_THAT(message_of<UsageError>([] { dataset_info("shape"); }), HasSubstr("did you mean 'shapes'?"));
  EXPECT_THAT(message_of<UsageError>([] { dataset_info(""); }),
              HasSubstr("Known: stl10, cifar10, tiny_imagenet, food101, imagenet1k, folder, shapes"));
}

TEST(OpenDataset, RefusesANegativeNumberOfImages) {
  EXPECT_THAT(message_of<UsageError>([] { open_dataset({.name = "shapes", .max_images = -1}); }),
              HasSubstr("--max_images -1"));
}

}  // namespace
}  // namespace relic
