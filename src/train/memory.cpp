#include "relic/train/memory.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/torch.h>

#include <memory>

namespace relic {

namespace {

constexpr std::int64_t kProbeImages = 4;
constexpr double kBatchesInFlight = 3;  // one in use, two ahead

/// Adds up what this thread allocates and frees while it is installed.
class AllocationCounter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*pointer*/, std::int64_t bytes, std::size_t /*allocated*/, std::size_t /*reserved*/,
                         c10::Device /*device*/) override {
    bytes_ += bytes;
  }
  [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  std::int64_t bytes_ = 0;
};

torch::Tensor blank_views(std::int64_t count, int size) {
  return torch::zeros({count * kProbeImages, 3, size, size}).contiguous(at::MemoryFormat::ChannelsLast);
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
                               const ForwardOptions& options) {
  Views views{blank_views(spec.global_count, spec.global.size), {}, {}};
  if (spec.local_count > 0) {
    views.local = blank_views(spec.local_count, spec.local.size);
  }
  std::vector<torch::Tensor> statistics;
  for (const auto& buffer : relic.buffers()) {
    statistics.push_back(buffer.clone());
  }

  const auto counter = std::make_shared<AllocationCounter>();
  std::int64_t kept = 0;
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
    const auto terms = forward_views(relic, views, kProbeImages, options);
    kept = counter->bytes();
  }

  const torch::NoGradGuard no_grad;
  auto buffers = relic.buffers();
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    buffers[i].copy_(statistics[i]);
  }

  const double scale = static_cast<double>(batch_size) / static_cast<double>(kProbeImages);
  MemoryNeed need;
  const double trained = bytes_of(relic.trained_parameters());
  need.state = bytes_of(relic.parameters()) + bytes_of(relic.buffers()) + 3 * trained;  // gradients and two moments
  need.activations = static_cast<double>(kept) * scale;
  double view_bytes = static_cast<double>(views.global.nbytes());
  if (views.local.defined()) {
    view_bytes += static_cast<double>(views.local.nbytes());
  }
  need.views = kBatchesInFlight * view_bytes * scale;
  return need;
}

}  // namespace relic
