// Which samples make up which batch: a shuffled pass over the data set each epoch, without state.
#pragma once

#include <cstdint>
#include <vector>

namespace relic {

/// Batches of a shuffled epoch; the last incomplete batch is dropped. A pure function of (seed, epoch, step): resuming
/// needs no state.
class SampleOrder {
 public:
  /// Throws UsageError where the data set does not fill one batch.
  SampleOrder(std::int64_t dataset_size, std::int64_t batch_size, std::uint64_t seed);

  [[nodiscard]] std::int64_t steps_per_epoch() const { return dataset_size_ / batch_size_; }
  /// Sample indices [batch_size] of the batch at `step`, counted over all epochs from 0. Quick within one epoch; the
  /// first call in another shuffles it. Not safe to call from several threads.
  [[nodiscard]] std::vector<std::int64_t> batch(std::int64_t step);

 private:
  std::int64_t dataset_size_;
  std::int64_t batch_size_;
  std::uint64_t seed_;
  std::int64_t epoch_ = -1;
  std::vector<std::int64_t> order_;  // of epoch_
};

}  // namespace relic
