#include "nn/norm_act.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

#include "relic/nn/per_view_statistics.h"
#include "support/fill.h"
#include "support/norm_act_cases.h"
#include "support/threads.h"

namespace relic {
namespace {

using testing::compare_with_definition;
using testing::in_rows;
using testing::Threads;

const torch::Device cpu(torch::kCPU);

bool available() {
  torch::nn::BatchNorm2d norm(16);
  return fused_norm_act(norm, in_rows(torch::randn({2, 16, 2, 2})), After::relu, {}).defined();
}

class CpuNormAct : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "a processor without AVX2";
  }
};

TEST_F(CpuNormAct, IsTheDefinition) {
  for (const int threads : {1, 2}) {
    const Threads scope(threads);
    for (const auto type : {torch::kFloat, torch::kBFloat16}) {
      compare_with_definition(type, cpu, {{21}, {8, 24, 48, 64, 80, 512}, {1, 3, 13}});
      compare_with_definition(type, cpu, {{6}, {64, 2048}, {2, 9}});
      compare_with_definition(type, cpu, {{2}, {16, 1280}, {3, 5}});
    }
  }
}

TEST_F(CpuNormAct, IsTheDefinitionViewByView) {
  for (const auto type : {torch::kFloat, torch::kBFloat16}) {
    compare_with_definition(type, cpu, {{12}, {8, 24, 64}, {1, 5}, /*views=*/3});
  }
}

TEST(NormAct, OfViewsIsOnePassForEach) {
  for (const auto type : {torch::kFloat, torch::kDouble}) {  // in one piece, and by its definition
    torch::nn::BatchNorm2d together(16);
    torch::nn::BatchNorm2d apart(16);
    testing::convert_floating(*together, type);
    testing::convert_floating(*apart, type);
    const auto images = in_rows(torch::randn({6, 16, 5, 5}, type) * 3 + 1).requires_grad_();
    const auto x = images * 1;
    bool in_order = false;
    x.register_hook([&](const torch::Tensor& g) { in_order = g.is_contiguous(at::MemoryFormat::ChannelsLast); });
    torch::Tensor all;
    {
      const PerViewStatistics scope(3);
      all = norm_act(together, x, After::relu, {});
    }
    std::vector<torch::Tensor> each;
    const auto same = images.detach().requires_grad_();
    for (const auto& view : same.split(2)) each.push_back(norm_act(apart, view, After::relu, {}));
    EXPECT_TRUE(torch::equal(all, torch::cat(each)));
    const auto gradient = in_rows(torch::randn(all.sizes(), type));
    all.backward(gradient);
    torch::cat(each).backward(gradient);
    EXPECT_TRUE(in_order);
    EXPECT_TRUE(torch::allclose(images.grad(), same.grad()));
    EXPECT_TRUE(torch::allclose(together->weight.grad(), apart->weight.grad(), 1e-5, 1e-5));
    EXPECT_TRUE(torch::allclose(together->bias.grad(), apart->bias.grad(), 1e-5, 1e-5));
    EXPECT_TRUE(torch::equal(together->running_mean, apart->running_mean));
    EXPECT_TRUE(torch::equal(together->running_var, apart->running_var));
    EXPECT_EQ(together->num_batches_tracked.item<std::int64_t>(), 3);
    EXPECT_FALSE(torch::allclose(all, norm_act(together, x, After::relu, {})));  // after the scope, of all together
    {
      const PerViewStatistics uneven(4);
      EXPECT_THROW(norm_act(together, x, After::relu, {}), c10::Error);
      together->eval();
      EXPECT_NO_THROW(norm_act(together, x, After::relu, {}));
    }
  }
}

TEST_F(CpuNormAct, SumsLongRowsAndLargeMeansExactly) {
  // A deviation of a thousandth of the mean, over 100,000 rows.
  const auto x = in_rows(1000 + torch::randn({100, 16, 32, 32}));
  torch::nn::BatchNorm2d norm(16);
  norm->options.momentum(1.0);
  fused_norm_act(norm, x, After::nothing, {});
  const auto exact = x.to(torch::kDouble);
  const auto variance = exact.var(at::IntArrayRef{0, 2, 3});
  EXPECT_LT((norm->running_mean - exact.mean({0, 2, 3})).abs().max().item<double>(), 1e-4);
  EXPECT_LT(((norm->running_var - variance) / variance).abs().max().item<double>(), 1e-5);
}

TEST_F(CpuNormAct, GradientsKeepTheirDigitsWhereTheMeanIsLarge) {
  const auto x = in_rows(1000 + torch::randn({16, 16, 8, 8})).requires_grad_();
  const auto exact_x = x.detach().to(torch::kDouble).requires_grad_();
  const auto weights = torch::randn_like(x);
  torch::nn::BatchNorm2d norm(16);
  torch::nn::BatchNorm2d exact(16);
  exact->to(torch::kDouble);
  const auto loss = (fused_norm_act(norm, x, After::nothing, {}) * weights).sum();
  const auto exact_loss = (exact(exact_x) * weights).sum();
  const auto gradient = torch::autograd::grad({loss}, {x})[0];
  const auto expected = torch::autograd::grad({exact_loss}, {exact_x})[0];
  EXPECT_LT(((gradient - expected).norm() / expected.norm()).item<double>(), 1e-5);
}

TEST_F(CpuNormAct, GivesTheSameBitsEachTime) {
  const Threads scope(2);
  const auto x = in_rows(torch::randn({32, 64, 16, 16})).requires_grad_();
  const auto once = [&] {
    torch::nn::BatchNorm2d norm(64);
    x.mutable_grad().reset();
    fused_norm_act(norm, x, After::relu, {}).square().sum().backward();
    return std::vector<torch::Tensor>{x.grad(), norm->weight.grad(), norm->running_var};
  };
  const auto first = once();
  const auto second = once();
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(torch::equal(first[i], second[i])) << i;
}

TEST_F(CpuNormAct, HandsOnWhatIsNoNumber) { testing::expect_what_is_no_number_is_handed_on(cpu); }

TEST_F(CpuNormAct, GivesTheSameWithoutGradients) {
  testing::expect_the_same_without_gradients(torch::kFloat, cpu);
  testing::expect_the_same_without_gradients(torch::kBFloat16, cpu);
}

TEST_F(CpuNormAct, WhereTheShortcutWantsNoGradientItGetsNone) {
  const auto shortcut = in_rows(torch::randn({4, 16, 5, 5}));
  torch::nn::BatchNorm2d fused(16);
  torch::nn::BatchNorm2d plain(16);
  const auto x = in_rows(torch::randn({4, 16, 5, 5})).requires_grad_();
  const auto gradient = torch::autograd::grad({fused_norm_act(fused, x, After::relu, shortcut).square().sum()}, {x})[0];
  const auto expected = torch::autograd::grad({plain_norm_act(plain, x, After::relu, shortcut).square().sum()}, {x})[0];
  EXPECT_TRUE(torch::allclose(gradient, expected, 1e-4, 1e-5));
}

TEST(CpuNormActLimits, LeavesAloneWhatItDoesNotTake) {
  torch::nn::BatchNorm2d norm(64);
  const auto x = in_rows(torch::randn({4, 64, 8, 8}));
  EXPECT_EQ(fused_norm_act(norm, x, After::relu, {}).defined(), available());
  EXPECT_FALSE(fused_norm_act(norm, x.contiguous(), After::relu, {}).defined());
  EXPECT_FALSE(fused_norm_act(norm, x.to(torch::kHalf), After::relu, {}).defined());
  EXPECT_FALSE(fused_norm_act(norm, x, After::relu, x.to(torch::kBFloat16)).defined());
  EXPECT_FALSE(fused_norm_act(norm, in_rows(torch::randn({1, 64, 1, 1})), After::relu, {}).defined());
  EXPECT_FALSE(fused_norm_act(norm, in_rows(torch::randn({3, 64, 1, 1})), After::relu, {}, /*views=*/3).defined());
  EXPECT_FALSE(fused_norm_act(norm, in_rows(torch::randn({4, 64, 2, 2})), After::relu, {}, /*views=*/3).defined());
  torch::nn::BatchNorm2d uneven(20);
  EXPECT_FALSE(fused_norm_act(uneven, in_rows(torch::randn({4, 20, 8, 8})), After::relu, {}).defined());
  norm->to(torch::kDouble);
  EXPECT_FALSE(fused_norm_act(norm, x.to(torch::kDouble), After::relu, {}).defined());
  norm->to(torch::kFloat);
  norm->eval();
  EXPECT_FALSE(fused_norm_act(norm, x, After::relu, {}).defined());
}

}  // namespace
}  // namespace relic
