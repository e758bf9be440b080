#include <gtest/gtest.h>

#include "relic/eval/scores.h"

namespace relic {
namespace {

// Wilson's formula worked out by hand with z = 1.959964.
TEST(Accuracy, IntervalIsWilsons) {
  const Accuracy half{.correct = 50, .total = 100};
  EXPECT_NEAR(half.low(), 0.403832, 1e-6);
  EXPECT_NEAR(half.high(), 0.596168, 1e-6);
  const Accuracy typical{.correct = 924, .total = 2000};
  EXPECT_DOUBLE_EQ(typical.value(), 0.462);
  EXPECT_NEAR(typical.low(), 0.440244, 1e-6);
  EXPECT_NEAR(typical.high(), 0.483902, 1e-6);
}

TEST(Accuracy, IntervalStaysInRangeAtTheEnds) {
  const Accuracy none{.correct = 0, .total = 10};
  EXPECT_NEAR(none.low(), 0.0, 1e-12);
  EXPECT_NEAR(none.high(), 0.277533, 1e-6);
  const Accuracy all{.correct = 10, .total = 10};
  EXPECT_NEAR(all.low(), 0.722467, 1e-6);
  EXPECT_NEAR(all.high(), 1.0, 1e-12);
  EXPECT_LE(all.high(), 1.0);
  const Accuracy empty;
  EXPECT_EQ(empty.value(), 0.0);
  EXPECT_EQ(empty.low(), 0.0);
  EXPECT_EQ(empty.high(), 1.0);
}

TEST(Accuracy, TextIsInPercent) {
  EXPECT_EQ((Accuracy{.correct = 924, .total = 2000}.text()), "46.2 % (44.0 to 48.4)");
  EXPECT_EQ((Accuracy{.correct = 10, .total = 10}.text()), "100.0 % (72.2 to 100.0)");
}

}  // namespace
}  // namespace relic
