#include "relic/views/view_spec.h"

#include <gtest/gtest.h>

#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::message_of;

TEST(MultiCropFor, HasTheOriginalsSizesAndKernels) {
  struct Expected {
    int size, local, kernel;
  };
  for (const Expected& expected : {Expected{32, 13, 3}, {64, 27, 7}, {96, 41, 9}, {192, 82, 19}}) {
    const MultiCropSpec spec = multi_crop_for(expected.size, 2, 4);
    EXPECT_EQ(spec.global.size, expected.size);
    EXPECT_EQ(spec.local.size, expected.local);
    EXPECT_EQ(spec.global.blur_kernel, expected.kernel);
    EXPECT_EQ(spec.local.blur_kernel, expected.kernel);
  }
}

TEST(MultiCropFor, MakesLocalViewsSmallerAndNeverSolarized) {
  const MultiCropSpec spec = multi_crop_for(32, 2, 4);
  EXPECT_FLOAT_EQ(spec.global.min_scale, 0.1F);
  EXPECT_FLOAT_EQ(spec.local.min_scale, 0.05F);
  EXPECT_FLOAT_EQ(spec.global.solarize_probability, 0.2F);
  EXPECT_FLOAT_EQ(spec.local.solarize_probability, 0);
  EXPECT_FLOAT_EQ(spec.local.jitter_probability, 0.8F);
}

TEST(MultiCropFor, PutsTheGlobalViewsFirst) {
  const MultiCropSpec spec = multi_crop_for(32, 2, 4);
  EXPECT_EQ(spec.count(), 6);
  EXPECT_EQ(spec.of(1).size, 32);
  EXPECT_EQ(spec.of(2).size, 13);
}

TEST(MultiCropFor, RefusesWhatCannotBeDrawn) {
  EXPECT_EQ(message_of<UsageError>([] { multi_crop_for(2, 2, 4); }),
            "no local views of an image of 2 pixels: at least 3 are needed");
  EXPECT_EQ(message_of<UsageError>([] { multi_crop_for(32, 0, 4); }),
            "cannot draw 0 global and 4 local views: at least one global view is needed");
  EXPECT_EQ(message_of<UsageError>([] { multi_crop_for(32, 2, -1); }),
            "cannot draw 2 global and -1 local views: at least one global view is needed");
}

}  // namespace
}  // namespace relic
