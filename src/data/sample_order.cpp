#include "relic/data/sample_order.h"

#include <numeric>
#include <string>
#include <utility>

#include "relic/core/error.h"
#include "relic/core/random.h"

namespace relic {
namespace {

// Keeps these numbers apart from other streams of the same seed (those of the views end in the view's number).
constexpr std::uint32_t order_stream = 0xFFFFFFFFU;

/// Fisher and Yates' shuffle of 0 … size−1.
void shuffle(std::vector<std::int64_t>& order, std::int64_t size, std::uint64_t seed, std::int64_t epoch) {
  order.resize(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  CounterRng rng(seed, static_cast<std::uint32_t>(epoch), 0, order_stream);
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[rng.below(static_cast<std::uint32_t>(left))]);
  }
}

}  // namespace

SampleOrder::SampleOrder(std::int64_t dataset_size, std::int64_t batch_size, std::uint64_t seed)
    : dataset_size_(dataset_size), batch_size_(batch_size), seed_(seed) {
  if (batch_size < 1) {
    throw UsageError("a batch of " + std::to_string(batch_size) + " images: --batch_size must be at least 1");
  }
  if (dataset_size < batch_size) {
    throw UsageError("the data set has only " + std::to_string(dataset_size) + " images, fewer than one batch of " +
                     std::to_string(batch_size) + ": choose a smaller --batch_size");
  }
}

std::vector<std::int64_t> SampleOrder::batch(std::int64_t step) {
  const std::int64_t epoch = step / steps_per_epoch();
  if (epoch != epoch_) {
    shuffle(order_, dataset_size_, seed_, epoch);
    epoch_ = epoch;
  }
  const auto first = order_.begin() + (step % steps_per_epoch()) * batch_size_;
  return {first, first + batch_size_};
}

}  // namespace relic
