// How much memory a training needs, found before it starts.
#pragma once

#include <cstdint>
#include <vector>

#include "relic/nn/relic.h"
#include "relic/train/train_step.h"
#include "relic/views/view_spec.h"

namespace relic {

struct MemoryNeed {
  double state = 0;        ///< bytes: weights of both branches, gradients, Adam's moments
  double activations = 0;  ///< bytes kept from forward to backward, for the whole batch
  double views = 0;        ///< bytes of the batches of views in flight

  [[nodiscard]] double total() const { return state + activations + views; }
};

/// Runs the forward pass of a few images on the CPU and counts what the allocator keeps for the backward pass, then
/// scales it to the batch. The model's BatchNorm statistics are left as they were.
MemoryNeed measure_memory_need(Relic& relic, const MultiCropSpec& spec, std::int64_t batch_size,
                               const ForwardOptions& options);

}  // namespace relic
