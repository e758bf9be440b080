#include "relic/eval/collapse.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "relic/core/error.h"
#include "support/fill.h"
#include "support/hashed_images.h"

namespace relic {
namespace {

using testing::uniform;

torch::Tensor gaussian(std::int64_t n, std::int64_t d) {
  torch::manual_seed(7);
  return torch::randn({n, d});
}

TEST(Spread, EvenlySpreadPointsHaveDeviationOneAndFullRank) {
  const Spread spread = spread_of(gaussian(4000, 16));
  EXPECT_NEAR(spread.deviation, 1, 0.01);
  EXPECT_NEAR(spread.effective_rank, 16, 0.1);
  EXPECT_EQ(spread.dimensions, 16);
}

TEST(Spread, LengthsDoNotCount) {
  const auto x = gaussian(500, 8);
  const auto stretched = x * (1 + 5 * uniform(3, {500, 1}));
  EXPECT_NEAR(spread_of(stretched).deviation, spread_of(x).deviation, 1e-5);
  EXPECT_NEAR(spread_of(stretched).effective_rank, spread_of(x).effective_rank, 1e-4);
}

TEST(Spread, OnePointIsACollapse) {
  const auto x = torch::ones({100, 8}) + 1e-3 * gaussian(100, 8);
  EXPECT_LT(spread_of(x).deviation, 0.01);
  const Spread equal = spread_of(torch::ones({100, 8}));
  EXPECT_NEAR(equal.deviation, 0, 1e-7);
  EXPECT_TRUE(std::isfinite(equal.effective_rank));
  EXPECT_TRUE(std::isfinite(spread_of(torch::zeros({100, 8})).effective_rank));
}

TEST(Spread, ALineIsACollapseOfRankOne) {
  const auto direction = gaussian(1, 8);
  const auto x = torch::where(uniform(1, {200, 1}) < 0.5, direction, -direction);
  EXPECT_NEAR(spread_of(x).effective_rank, 1, 1e-3);
}

TEST(Spread, RankIsTheEntropyOfTheSingularValues) {
  for (const auto& [n, d] : {std::pair{20, 6}, {6, 20}}) {
    auto x = gaussian(n, d).to(torch::kDouble);
    x = x / x.norm(2, 1, true);
    const auto values = std::get<1>(at::linalg_svd(x - x.mean(0, true), false));
    const auto shares = values / values.sum();
    const double entropy = -(shares * (shares + 1e-300).log()).sum().item<double>();
    EXPECT_NEAR(spread_of(x).effective_rank, std::exp(entropy), 1e-4);
  }
}

TEST(Alignment, IsTheMeanSquaredDistanceOfNormalisedPairs) {
  const auto x = gaussian(2000, 16);
  EXPECT_NEAR(alignment(x, 3 * x), 0, 1e-9);
  EXPECT_NEAR(alignment(x, -x), 4, 1e-6);
  EXPECT_NEAR(alignment(x, x.roll(1, 0)), 2, 0.05);
}

TEST(Uniformity, IsTheLogOfTheMeanGaussianPotentialOverPairs) {
  // Three points of a plane: squared distances 2, 2 and 4.
  const auto x = torch::tensor({{1.0, 0.0}, {0.0, 2.0}, {-3.0, 0.0}});
  EXPECT_NEAR(uniformity(x), std::log((2 * std::exp(-4) + std::exp(-8)) / 3), 1e-9);
  EXPECT_NEAR(uniformity(torch::ones({10, 4})), 0, 1e-9);
  // The expectation over the sphere is near exp(−4) in many dimensions.
  EXPECT_NEAR(uniformity(gaussian(1000, 512)), -4, 0.05);
}

TEST(CollapseSigns, LeavesTheBranchAsItWasAndRepeatsItself) {
  torch::manual_seed(1);
  Relic relic({.encoder = "resnet18", .projector_hidden_dim = 16, .projector_out_dim = 8});
  relic.train();
  const auto images = testing::small_images(20);
  std::vector<torch::Tensor> before;
  for (const auto& buffer : relic.buffers()) before.push_back(buffer.clone());
  const auto signs = collapse_signs(relic.target(), images, {.max_images = 16});
  const auto again = collapse_signs(relic.target(), images, {.max_images = 16, .workers = 2});
  const auto buffers = relic.buffers();
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(torch::equal(buffers[i], before[i]));
  EXPECT_TRUE(relic.target().encoder().is_training());
  EXPECT_EQ(signs.features.dimensions, 512);
  EXPECT_EQ(signs.projections.dimensions, 8);
  EXPECT_EQ(signs.alignment, again.alignment);
  EXPECT_EQ(signs.uniformity, again.uniformity);
  EXPECT_GT(signs.alignment, 0);
  EXPECT_LT(signs.uniformity, 0);
}

TEST(CollapseSigns, CanBeStopped) {
  Relic relic({.encoder = "resnet18", .projector_hidden_dim = 16, .projector_out_dim = 8});
  EXPECT_THROW(collapse_signs(relic.target(), testing::small_images(4), {.watch = {.stop = [] { return true; }}}),
               Interrupted);
}

}  // namespace
}  // namespace relic
