#include "relic/train/memory.h"

#include <torch/torch.h>

#include <vector>

#include "train/allocation_peak.h"

namespace relic {

namespace {

constexpr std::int64_t kFewImages = 4;
constexpr std::int64_t kMoreImages = 8;
constexpr double kBatchesInFlight = 4;  // one in use, two ahead; the one before, which a GPU may still read

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
double step_bytes(Relic& relic, const MultiCropSpec& spec, std::int64_t images, const ForwardOptions& options) {
  const Views views = blank_views(spec, images);
  relic.zero_grad(/*set_to_none=*/true);
  const double bytes = allocation_peak([&] { forward_views(relic, views, images, options).loss.backward(); });
  relic.zero_grad(/*set_to_none=*/true);
  return bytes;
}

/// The same of the loss alone, over random projections.
double loss_bytes(std::int64_t images, const ForwardOptions& options) {
  constexpr std::int64_t dimensions = 8;
  const auto target = torch::rand({options.global_views * images, dimensions});
  const auto online = torch::rand({(options.global_views + options.local_views) * images, dimensions}).requires_grad_();
  const auto temperature = torch::zeros({}).requires_grad_();
  const auto bias = torch::zeros({}).requires_grad_();
  return allocation_peak([&] { relic_loss(online, target, images, temperature, bias, options.loss).loss.backward(); });
}

/// Bytes for the square of an image's number: half of the second difference.
double bytes_of_a_pair(const ForwardOptions& options) {
  constexpr std::int64_t step = 64;
  const double second = loss_bytes(3 * step, options) - 2 * loss_bytes(2 * step, options) + loss_bytes(step, options);
  return second / (2.0 * step * step);
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

  const double few = step_bytes(relic, spec, kFewImages, options);
  const double more = step_bytes(relic, spec, kMoreImages, options);
  const double a_pair = bytes_of_a_pair(options);

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
  const auto batch = static_cast<double>(batch_size);
  need.activations = an_image * batch;
  need.logits = a_pair * batch * batch;
  const Views views = blank_views(spec, 1);
  need.views = static_cast<double>(views.global.nbytes());
  if (views.local.defined()) {
    need.views += static_cast<double>(views.local.nbytes());
  }
  need.views *= kBatchesInFlight * batch;
  need.snapshot = model + 2 * trained;
  return need;
}

}  // namespace relic
