#include "relic/eval/collapse.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "eval/inference_scope.h"
#include "eval/kept_modes.h"
#include "eval/run_encoder.h"
#include "eval/unit_rows.h"
#include "relic/core/random.h"
#include "relic/views/view_source.h"

namespace relic {
namespace {

constexpr std::uint64_t kSeedSalt = 0xC011A95EULL;  // other views than the training's

torch::Tensor normalised(const torch::Tensor& x) { return unit_rows(x, torch::kDouble); }

double effective_rank(const torch::Tensor& centred) {
  const bool wide = centred.size(1) > centred.size(0);
  const torch::Tensor gram = wide ? centred.mm(centred.t()) : centred.t().mm(centred);
  const torch::Tensor values = at::linalg_eigvalsh(gram).clamp_min(0).sqrt();
  const torch::Tensor shares = values / values.sum().clamp_min(1e-300);
  return std::exp(at::xlogy(shares, shares).sum().neg().item<double>());
}

/// Features and projections of both views of each image, [N, D] and [N, d] each.
struct ViewPairs {
  torch::Tensor features[2];
  torch::Tensor projections[2];
};

ViewPairs run_branch(Branch& branch, const Dataset& dataset, const CollapseOptions& options) {
  const InferenceScope scope;
  const KeptModes modes(branch);
  branch.eval();
  const std::int64_t count = std::min(options.max_images, dataset.size());
  const std::int64_t batch = std::min(images_per_batch(options.image_size, options.device), count);
  const std::int64_t steps = count / batch;
  const auto source = make_cpu_view_source(dataset, multi_crop_for(options.image_size, 2, 0),
                                           {.batch_size = batch,
                                            .seed = splitmix64(options.seed ^ kSeedSalt),
                                            .last_step = steps,
                                            .workers = options.workers,
                                            .device = options.device,
                                            .left_out = options.watch.left_out});
  std::vector<torch::Tensor> features[2];
  std::vector<torch::Tensor> projections[2];
  for (std::int64_t step = 0; step < steps; ++step) {
    options.watch.at("views of " + std::to_string(step * batch) + " of " + std::to_string(steps * batch) + " images");
    const torch::Tensor h = branch.encoder().forward(source->next().global);
    const torch::Tensor z = branch.project(h);
    for (int view = 0; view < 2; ++view) {
      features[view].push_back(h.slice(0, view * batch, (view + 1) * batch).cpu());
      projections[view].push_back(z.slice(0, view * batch, (view + 1) * batch).cpu());
    }
  }
  return {{at::cat(features[0]), at::cat(features[1])}, {at::cat(projections[0]), at::cat(projections[1])}};
}

}  // namespace

Spread spread_of(const torch::Tensor& x) {
  const torch::Tensor points = normalised(x);
  const torch::Tensor centred = points - points.mean(0, /*keepdim=*/true);
  const torch::Tensor deviation = centred.square().mean(0).sqrt().mean();
  return {.deviation = deviation.item<double>() * std::sqrt(static_cast<double>(x.size(1))),
          .effective_rank = effective_rank(centred),
          .dimensions = x.size(1)};
}

double alignment(const torch::Tensor& x, const torch::Tensor& y) {
  return (normalised(x) - normalised(y)).square().sum(1).mean().item<double>();
}

double uniformity(const torch::Tensor& x) {
  const torch::Tensor points = normalised(x);
  const std::int64_t n = points.size(0);
  const torch::Tensor squared_distances = 2 - 2 * points.mm(points.t());
  const torch::Tensor weights = (squared_distances.clamp_min(0) * -2).exp();
  // Each image with itself is no pair.
  const double sum = weights.sum().item<double>() - weights.diagonal().sum().item<double>();
  return std::log(sum / static_cast<double>(n * (n - 1)));
}

CollapseSigns collapse_signs(Branch& branch, const Dataset& dataset, const CollapseOptions& options) {
  const ViewPairs pairs = run_branch(branch, dataset, options);
  return {.features = spread_of(pairs.features[0]),
          .projections = spread_of(pairs.projections[0]),
          .alignment = alignment(pairs.projections[0], pairs.projections[1]),
          .uniformity = uniformity(pairs.projections[0])};
}

}  // namespace relic
