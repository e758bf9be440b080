#include "relic/train/memory.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/torch.h>

#include <algorithm>
#include <memory>

namespace relic {

namespace {

constexpr std::int64_t kFewImages = 4;
constexpr std::int64_t kMoreImages = 8;
constexpr double kBatchesInFlight = 4;  // one in use, two ahead; the one before, which a GPU may still read

/// Adds up what this thread allocates and frees while it is installed.
class AllocationCounter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*pointer*/, std::int64_t bytes, std::size_t /*allocated*/, std::size_t /*reserved*/,
                         c10::Device /*device*/) override {
    bytes_ += bytes;
    peak_ = std::max(peak_, bytes_);
  }
  [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }
  [[nodiscard]] std::int64_t peak() const { return peak_; }

 private:
  std::int64_t bytes_ = 0;
  std::int64_t peak_ = 0;
};

Views blank_views(const MultiCropSpec& spec, std::int64_t images) {
  const auto blank = [images](std::int64_t count, int size) {
    return torch::zeros({count * images, 3, size, size}).contiguous(at::MemoryFormat::ChannelsLast);
  };
  Views views{blank(spec.global_count, spec.global.size), {}, {}};
  if (spec.local_count > 0) {
    views.local = blank(spec.local_count, spec.local.size);
  }
  return views;
}

/// What a step over that many images allocates at its peak, gradients of the weights included.
double peak_bytes(Relic& relic, const MultiCropSpec& spec, std::int64_t images, const ForwardOptions& options) {
  const Views views = blank_views(spec, images);
  relic.zero_grad(/*set_to_none=*/true);
  const auto counter = std::make_shared<AllocationCounter>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
    forward_views(relic, views, images, options).loss.backward();
  }
  relic.zero_grad(/*set_to_none=*/true);
  return static_cast<double>(counter->peak());
}

double bytes_of(const std::vector<torch::Tensor>& tensors) {
  double bytes = 0;
  for (const auto& tensor : tensors) {
    bytes += static_cast<double>(tensor.nbytes());
  }
  return bytes;
}

}  // namespace

MemoryNeed measure_memory_need(Relic& relic, const MultiCropSpec& spec, std::int64_t batch_size,
                               ForwardOptions options) {
  if (options.autocast == torch::kHalf) {
    options.autocast = torch::kBFloat16;
  }
  std::vector<torch::Tensor> statistics;
  for (const auto& buffer : relic.buffers()) {
    statistics.push_back(buffer.clone());
  }

  const double few = peak_bytes(relic, spec, kFewImages, options);
  const double more = peak_bytes(relic, spec, kMoreImages, options);

  const torch::NoGradGuard no_grad;
  auto buffers = relic.buffers();
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    buffers[i].copy_(statistics[i]);
  }

  const double an_image = (more - few) / static_cast<double>(kMoreImages - kFewImages);
  const double model = bytes_of(relic.parameters()) + bytes_of(relic.buffers());
  const double trained = bytes_of(relic.trained_parameters());
  MemoryNeed need;
  need.state = model + 3 * trained;  // gradients and two moments
  need.activations = an_image * static_cast<double>(batch_size);
  const Views views = blank_views(spec, 1);
  need.views = static_cast<double>(views.global.nbytes());
  if (views.local.defined()) {
    need.views += static_cast<double>(views.local.nbytes());
  }
  need.views *= kBatchesInFlight * static_cast<double>(batch_size);
  need.snapshot = model + 2 * trained;
  return need;
}

}  // namespace relic
