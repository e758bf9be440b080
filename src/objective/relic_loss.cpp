#include "relic/objective/relic_loss.h"

#include <torch/torch.h>

namespace relic {

namespace {

namespace F = torch::nn::functional;

/// Projections [V·N, d] to unit vectors [V, N, d], in float32 or better.
torch::Tensor unit_projections(const torch::Tensor& projections, std::int64_t batch) {
  const auto dtype = projections.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
  return F::normalize(projections.to(dtype), F::NormalizeFuncOptions().p(2).dim(1))
      .view({-1, batch, projections.size(1)});
}

/// Cross entropy of each row against its diagonal entry: [T, O, N, N] to [T, O].
torch::Tensor softmax_contrast(const torch::Tensor& log_rows) { return -log_rows.diagonal(0, 2, 3).mean(-1); }

/// −Σ logsigmoid(±logits) / N, plus on the diagonal: [T, O, N, N] to [T, O].
torch::Tensor sigmoid_contrast(const torch::Tensor& logits) {
  const auto n = logits.size(-1);
  const auto signs = 2 * torch::eye(n, logits.options()) - 1;
  return -F::logsigmoid(signs * logits).sum({-2, -1}) / n;
}

/// KL of the row distributions from the column distributions, as F.kl_div(reduction="batchmean"): [T, O].
torch::Tensor kl_rows_from_columns(const torch::Tensor& log_rows, const torch::Tensor& logits) {
  const auto log_columns = torch::log_softmax(logits, -2).transpose(-2, -1);
  return (log_columns.exp() * (log_columns - log_rows)).sum({-2, -1}) / logits.size(-1);
}

}  // namespace

LossTerms relic_loss(const torch::Tensor& online, const torch::Tensor& target, std::int64_t batch,
                     const torch::Tensor& log_temperature, const torch::Tensor& bias, const LossOptions& options) {
  const auto x = unit_projections(online, batch);  // [O, N, d]
  const auto y = unit_projections(target, batch);  // [T, N, d]
  const auto views = x.size(0);
  const auto targets = y.size(0);

  const auto scale = torch::clamp(log_temperature.exp(), 0, options.max_temperature);
  // One product for every pair; a pair of a view with itself is computed too and left out of the mean.
  const auto products = torch::mm(x.flatten(0, 1), y.flatten(0, 1).t());
  const auto logits =
      products.view({views, batch, targets, batch}).permute({2, 0, 1, 3}) * scale + bias;  // [T, O, N, N]

  const auto log_rows = torch::log_softmax(logits, -1);
  const auto contrast = options.siglip ? sigmoid_contrast(logits) : softmax_contrast(log_rows);
  const auto invariance = kl_rows_from_columns(log_rows, logits);

  const auto other = 1 - torch::eye(targets, views, logits.options());  // [T, O]
  const auto pairs = static_cast<double>(targets * views - std::min(targets, views));
  const auto mean_contrast = (contrast * other).sum() / pairs;
  const auto mean_invariance = (invariance * other).sum() / pairs;

  const bool one_target = targets == 1;
  return {mean_contrast + options.alpha * mean_invariance, mean_invariance,
          logits.detach()[one_target ? 0 : 1][one_target ? 1 : 0]};
}

torch::Tensor instance_top_k(const torch::Tensor& logits, std::int64_t k) {
  // Ties count against: features that have collapsed to a point find nothing.
  const auto own = logits.diagonal().unsqueeze(1);
  const auto rank = (logits >= own).sum(1) - 1;
  return (rank < k).to(torch::kFloat).mean();
}

}  // namespace relic
