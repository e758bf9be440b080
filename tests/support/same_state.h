// Whether two trainings stand at the same place, to the bit.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>

#include "relic/run/checkpoint.h"

namespace relic::testing {

inline void expect_equal(const StateDict& a, const StateDict& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].first, b[i].first);
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

/// Networks, optimizer, scaler and all that was counted.
inline void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  expect_equal(a.model, b.model);
  expect_equal(a.first_moments, b.first_moments);
  expect_equal(a.second_moments, b.second_moments);
  expect_equal(a.optimizer_steps, b.optimizer_steps);
  expect_equal(a.scaler, b.scaler);
  expect_equal(a.best_encoder, b.best_encoder);
  EXPECT_EQ(a.progress.step, b.progress.step);
  EXPECT_EQ(a.progress.total_loss_sum, b.progress.total_loss_sum);
  EXPECT_EQ(a.progress.epoch_loss_sum, b.progress.epoch_loss_sum);
  EXPECT_EQ(a.progress.total_losses, b.progress.total_losses);
  EXPECT_EQ(a.progress.epoch_losses, b.progress.epoch_losses);
  EXPECT_EQ(a.progress.evaluated_step, b.progress.evaluated_step);
  EXPECT_EQ(a.progress.best_step, b.progress.best_step);
  EXPECT_EQ(a.progress.best_score, b.progress.best_score);
  EXPECT_EQ(a.progress.skipped_steps, b.progress.skipped_steps);
  EXPECT_EQ(a.progress.skipped_in_a_row, b.progress.skipped_in_a_row);
}

}  // namespace relic::testing
