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
  double activations = 0;  ///< bytes that forward and backward need besides, at their peak, for the whole batch
  double logits = 0;       ///< bytes of the loss at its peak that grow with the square of the batch
  double views = 0;        ///< bytes of the batches of views in flight
  double snapshot = 0;     ///< bytes of the copy that is written while training goes on

  [[nodiscard]] double total() const { return state + activations + logits + views + snapshot; }
};

/// Runs forward and backward passes of a few images on the CPU, and the loss of a few more, counts what the allocator
/// gives at the peak, and scales it to the batch. A GPU's float16 is counted as bfloat16, with what a CPU's
/// convolutions take for it. Scratch memory inside the libraries of matrix products is not seen. The model's BatchNorm
/// statistics are left as they were, its gradients are removed.
MemoryNeed measure_memory_need(Relic& relic, const MultiCropSpec& spec, std::int64_t batch_size,
                               ForwardOptions options);

}  // namespace relic
