#include "relic/objective/relic_loss.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include "support/fill.h"

namespace relic {

namespace {

torch::Tensor uniform(std::uint64_t stream, torch::IntArrayRef shape) {
  return testing::uniform(stream, shape, torch::kDouble);
}

/// The loss of one pair, element by element in double: an independent reading of reference and paper.
struct PlainPair {
  double contrast = 0;
  double invariance = 0;
};

using Matrix = std::vector<std::vector<double>>;

Matrix plain_logits(const torch::Tensor& x, const torch::Tensor& y, double tau, double b, double max_tau) {
  const auto n = x.size(0);
  const auto d = x.size(1);
  const auto xs = x.to(torch::kDouble).contiguous();
  const auto ys = y.to(torch::kDouble).contiguous();
  const auto unit = [d](const double* row) {
    double norm = 0;
    for (std::int64_t k = 0; k < d; ++k) norm += row[k] * row[k];
    std::vector<double> out(row, row + d);
    for (auto& value : out) value /= std::sqrt(norm);
    return out;
  };
  Matrix logits(n, std::vector<double>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    const auto u = unit(xs.data_ptr<double>() + i * d);
    for (std::int64_t j = 0; j < n; ++j) {
      const auto v = unit(ys.data_ptr<double>() + j * d);
      double dot = 0;
      for (std::int64_t k = 0; k < d; ++k) dot += u[k] * v[k];
      logits[i][j] = dot * std::min(std::exp(tau), max_tau) + b;
    }
  }
  return logits;
}

PlainPair plain_pair(const Matrix& logits, bool siglip) {
  const auto n = logits.size();
  PlainPair pair;
  std::vector<double> row_sum(n, 0);
  std::vector<double> column_sum(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      row_sum[i] += std::exp(logits[i][j]);
      column_sum[j] += std::exp(logits[i][j]);
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (!siglip) pair.contrast -= (logits[i][i] - std::log(row_sum[i])) / static_cast<double>(n);
    for (std::size_t j = 0; j < n; ++j) {
      if (siglip) {
        const double z = i == j ? logits[i][j] : -logits[i][j];
        pair.contrast += std::log1p(std::exp(-z)) / static_cast<double>(n);
      }
      const double p1 = logits[i][j] - std::log(row_sum[i]);         // log of row i's softmax
      const double log_p2 = logits[j][i] - std::log(column_sum[i]);  // log of column i's softmax at row j
      pair.invariance += std::exp(log_p2) * (log_p2 - p1) / static_cast<double>(n);
    }
  }
  return pair;
}

double largest(const torch::Tensor& t) { return t.abs().max().item<double>(); }

}  // namespace

TEST(RelicLoss, MatchesTheOriginalOnItsFixtures) {
  double worst_loss = 0;
  double worst_kl = 0;
  double worst_gradient = 0;
  const auto entries = testing::read_fixture("loss.json");
  ASSERT_EQ(entries.size(), 32U);
  for (const auto& entry : entries) {
    const std::int64_t n = entry["n"];
    const std::int64_t dim = entry["dim"];
    auto x = (2 * uniform(entry["stream_x"], {n, dim}) - 1).to(torch::kFloat).requires_grad_();
    const auto y = (2 * uniform(entry["stream_x_prime"], {n, dim}) - 1).to(torch::kFloat);
    auto tau = torch::tensor(entry["log_tau"].get<double>(), torch::kFloat).requires_grad_();
    auto b = torch::tensor(entry["b"].get<double>(), torch::kFloat).requires_grad_();
    const LossOptions options{entry["alpha"], entry["use_siglip"], entry["max_tau"]};

    // One pair: a filler view 0 online and the pair as (target 0, online 1).
    const auto terms = relic_loss(torch::cat({x.detach(), x}), y, n, tau, b, options);
    terms.loss.backward();

    const double loss = entry["loss"];
    const double kl = entry["invariance_loss"];
    const double loss_error = std::abs(terms.loss.item<double>() - loss) / std::abs(loss);
    const double kl_error = std::abs(terms.invariance.item<double>() - kl) / std::abs(kl);
    EXPECT_LT(loss_error, 1e-5);
    EXPECT_LT(kl_error, 1e-4);
    worst_loss = std::max(worst_loss, loss_error);
    worst_kl = std::max(worst_kl, kl_error);

    const auto gradient = x.grad().to(torch::kDouble).flatten();
    const double scale = largest(gradient);  // the original's: both have one l2 norm, below
    const auto& digest = entry["grad_x"];
    EXPECT_NEAR(gradient.norm().item<double>(), digest["l2"].get<double>(), 1e-5 * digest["l2"].get<double>());
    for (std::size_t i = 0; i < digest["first"].size(); ++i) {
      const double error =
          std::abs(gradient[static_cast<std::int64_t>(i)].item<double>() - digest["first"][i].get<double>());
      EXPECT_LT(error, 1e-5 * scale + 1e-9);
      worst_gradient = std::max(worst_gradient, error / scale);
    }
    const double grad_tau = entry["grad_log_tau"];
    EXPECT_NEAR(tau.grad().item<double>(), grad_tau, 1e-5 * std::abs(grad_tau));
    const double grad_b = entry["grad_b"];
    const double tolerance = options.siglip ? 1e-5 * std::abs(grad_b) : 1e-6;  // ReLIC's true value is zero
    EXPECT_NEAR(b.grad().item<double>(), options.siglip ? grad_b : 0.0, tolerance);
  }
  std::cout << "largest differences: loss " << worst_loss << ", KL " << worst_kl << ", gradient " << worst_gradient
            << " (relative)\n";
}

TEST(RelicLoss, AveragesOverEveryPairOfATargetAndAnotherOnlineView) {
  constexpr std::int64_t kBatch = 5;
  for (const bool siglip : {false, true}) {
    for (const auto& [targets, views] : {std::pair{2, 6}, {1, 3}, {3, 3}, {2, 2}}) {
      const auto online = 2 * uniform(100, {views * kBatch, 7}) - 1;
      const auto target = 2 * uniform(101, {targets * kBatch, 7}) - 1;
      const double tau = 0.7;
      const double b = siglip ? -2.0 : 0.3;
      const auto terms = relic_loss(online, target, kBatch, torch::tensor(tau, torch::kDouble),
                                    torch::tensor(b, torch::kDouble), {0.5, siglip, 5.0});
      double loss = 0;
      double invariance = 0;
      int pairs = 0;
      for (int i = 0; i < targets; ++i) {
        for (int j = 0; j < views; ++j) {
          if (i == j) continue;
          const auto pair = plain_pair(
              plain_logits(online.narrow(0, j * kBatch, kBatch), target.narrow(0, i * kBatch, kBatch), tau, b, 5.0),
              siglip);
          loss += pair.contrast + 0.5 * pair.invariance;
          invariance += pair.invariance;
          ++pairs;
        }
      }
      EXPECT_NEAR(terms.loss.item<double>(), loss / pairs, 1e-12);
      EXPECT_NEAR(terms.invariance.item<double>(), invariance / pairs, 1e-12);
    }
  }
}

TEST(RelicLoss, GradientAgreesWithFiniteDifferences) {
  for (const bool siglip : {false, true}) {
    auto online = (2 * uniform(7, {3 * 4, 5}) - 1).requires_grad_();
    const auto target = 2 * uniform(8, {2 * 4, 5}) - 1;
    auto tau = torch::tensor(0.4, torch::kDouble).requires_grad_();
    auto b = torch::tensor(siglip ? -1.0 : 0.0, torch::kDouble).requires_grad_();
    const LossOptions options{1.5, siglip, 5.0};
    relic_loss(online, target, 4, tau, b, options).loss.backward();
    const auto at = [&](const torch::Tensor& x, double t, double bias) {
      return relic_loss(x, target, 4, torch::tensor(t, torch::kDouble), torch::tensor(bias, torch::kDouble), options)
          .loss.item<double>();
    };
    constexpr double kStep = 1e-6;
    for (const auto& [row, column] : {std::pair{0, 0}, {5, 3}, {11, 4}}) {
      auto up = online.detach().clone();
      auto down = online.detach().clone();
      up[row][column] += kStep;
      down[row][column] -= kStep;
      const double slope = (at(up, 0.4, b.item<double>()) - at(down, 0.4, b.item<double>())) / (2 * kStep);
      EXPECT_NEAR(online.grad()[row][column].item<double>(), slope, 1e-7);
    }
    const auto x = online.detach();
    EXPECT_NEAR(tau.grad().item<double>(),
                (at(x, 0.4 + kStep, b.item<double>()) - at(x, 0.4 - kStep, b.item<double>())) / (2 * kStep), 1e-7);
    EXPECT_NEAR(b.grad().item<double>(),
                (at(x, 0.4, b.item<double>() + kStep) - at(x, 0.4, b.item<double>() - kStep)) / (2 * kStep), 1e-7);
  }
}

TEST(RelicLoss, HalfPrecisionProjectionsAreReducedInFloat32) {
  const auto online = (2 * uniform(1, {16, 8}) - 1).to(torch::kBFloat16);
  const auto target = (2 * uniform(2, {8, 8}) - 1).to(torch::kBFloat16);
  const auto tau = torch::zeros({});
  const auto b = torch::zeros({});
  const auto half = relic_loss(online, target, 8, tau, b, {});
  const auto full = relic_loss(online.to(torch::kFloat), target.to(torch::kFloat), 8, tau, b, {});
  EXPECT_EQ(half.loss.scalar_type(), torch::kFloat);
  EXPECT_EQ(half.loss.item<float>(), full.loss.item<float>());
}

TEST(RelicLoss, HandsOutTheLogitsOfOnlineView0AgainstTargetView1) {
  const auto online = 2 * uniform(3, {4 * 6, 5}) - 1;
  const auto target = 2 * uniform(4, {2 * 6, 5}) - 1;
  const auto tau = torch::tensor(0.2, torch::kDouble);
  const auto b = torch::tensor(0.0, torch::kDouble);
  const auto terms = relic_loss(online, target, 6, tau, b, {});
  const auto plain = plain_logits(online.narrow(0, 0, 6), target.narrow(0, 6, 6), 0.2, 0, 5.0);
  const auto one_target = relic_loss(online, target.narrow(0, 0, 6), 6, tau, b, {});
  const auto plain_first = plain_logits(online.narrow(0, 6, 6), target.narrow(0, 0, 6), 0.2, 0, 5.0);
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      const auto row = static_cast<std::int64_t>(i);
      const auto column = static_cast<std::int64_t>(j);
      EXPECT_NEAR(terms.logits[row][column].item<double>(), plain[i][j], 1e-12);
      EXPECT_NEAR(one_target.logits[row][column].item<double>(), plain_first[i][j], 1e-12);
    }
  }
}

TEST(InstanceTopK, CountsRowsWhoseOwnEntryIsAmongTheLargest) {
  const auto logits = torch::tensor({{3.F, 2.F, 1.F}, {3.F, 2.F, 1.F}, {3.F, 2.F, 1.F}});
  EXPECT_FLOAT_EQ(instance_top_k(logits, 1).item<float>(), 1.F / 3);
  EXPECT_FLOAT_EQ(instance_top_k(logits, 2).item<float>(), 2.F / 3);
  EXPECT_FLOAT_EQ(instance_top_k(logits, 5).item<float>(), 1.F);
}

TEST(InstanceTopK, CollapsedFeaturesFindNothing) {
  EXPECT_EQ(instance_top_k(torch::ones({8, 8}), 1).item<float>(), 0.F);
}

}  // namespace relic
