#include "nn/max_pool.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>
#include <tuple>
#include <vector>

namespace relic {
namespace {

/// Values of [2, 5, height, width] that often are equal to a neighbour's, as after a ReLU.
torch::Tensor with_ties(std::int64_t height, std::int64_t width) {
  torch::manual_seed(7);
  return torch::randint(-2, 3, {2, 5, height, width}).to(torch::kDouble);
}

torch::Tensor pooled(const torch::Tensor& x) { return torch::max_pool2d(x, 3, 2, 1); }

TEST(MaxPoolInOrder, IsMaxPooling) {
  for (const auto& [height, width] : std::vector<std::tuple<int, int>>{{1, 1}, {2, 3}, {7, 7}, {8, 8}, {48, 21}}) {
    for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      const auto x = with_ties(height, width).contiguous(format).requires_grad_();
      const auto expected = pooled(x);
      const auto found = max_pool_in_order(x);
      ASSERT_TRUE(torch::equal(found, expected)) << height << " x " << width;
      const auto weights = torch::rand_like(expected);
      const auto gradient = torch::autograd::grad({(found * weights).sum()}, {x})[0];
      const auto expected_gradient = torch::autograd::grad({(expected * weights).sum()}, {x})[0];
      EXPECT_TRUE(torch::allclose(gradient, expected_gradient, 0, 1e-14)) << height << " x " << width;
      EXPECT_GT(expected_gradient.abs().max().item<double>(), 0);
    }
  }
}

TEST(MaxPoolInOrder, PassesOnWhatIsNotFinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  auto x = with_ties(9, 9);
  x[0][0].fill_(-infinity);
  x[0][1][3][3] = std::numeric_limits<double>::quiet_NaN();
  x[1][2][8][8] = infinity;
  EXPECT_TRUE(torch::allclose(max_pool_in_order(x), pooled(x), 0, 0, /*equal_nan=*/true));
}

TEST(MaxPoolInOrder, KeepsTypeAndLayout) {
  const auto x = with_ties(8, 8).to(torch::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  const auto y = max_pool_in_order(x);
  EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
}

}  // namespace
}  // namespace relic
