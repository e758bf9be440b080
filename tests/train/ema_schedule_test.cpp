#include "relic/train/ema_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "support/fill.h"

namespace relic {

TEST(EmaSchedule, MatchesTheOriginalOnItsFixtures) {
  double worst = 0;
  const auto entries = testing::read_fixture("gamma.json");
  ASSERT_EQ(entries.size(), 42U);
  for (const auto& entry : entries) {
    const std::int64_t length = entry["K"];
    // K = steps per epoch · (epochs + 2) − after_step, with 1 step per epoch and after_step 1.
    const EmaSchedule schedule(entry["base"], 1, length - 1, 1, 1);
    ASSERT_EQ(schedule.length(), length);
    const double error = std::abs(schedule.gamma(entry["k"]) - entry["gamma"].get<double>());
    EXPECT_LT(error, 1e-6);
    worst = std::max(worst, error);
  }
  std::cout << "largest difference " << worst << "\n";
}

/// The original's loop, word for word.
TEST(EmaSchedule, IsTheOriginalsLoopAsAFunctionOfTheStep) {
  for (const auto& [after, every] : {std::pair<int, int>{1, 1}, {0, 1}, {5, 3}, {7, 10}}) {
    const EmaSchedule schedule(0.99, 10, 4, after, every);
    double gamma = 0.99;
    for (int step = 0; step < 60; ++step) {
      EXPECT_DOUBLE_EQ(schedule.decay_before(step), gamma) << "step " << step;
      const auto update = schedule.at(step);
      if (step <= after) {
        EXPECT_EQ(update.action, EmaSchedule::Action::copy);
      } else if (step % every == 0) {
        EXPECT_EQ(update.action, EmaSchedule::Action::lerp);
        EXPECT_DOUBLE_EQ(update.decay, gamma);
        gamma = 1 - (1 - 0.99) * (std::cos(M_PI * step / (10.0 * 6 - after)) + 1) / 2;
      } else {
        EXPECT_EQ(update.action, EmaSchedule::Action::none);
      }
    }
  }
}

}  // namespace relic
