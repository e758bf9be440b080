#include "nn/norm_act.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "support/norm_act_cases.h"

namespace relic {
namespace {

using testing::compare_with_definition;
using testing::in_rows;

const torch::Device gpu(torch::kCUDA, 0);

TEST(FusedNormAct, IsTheDefinition) {
  for (const auto type : {torch::kFloat, torch::kHalf, torch::kBFloat16}) {
    compare_with_definition(type, gpu, {{21}, {8, 64, 128, 512}, {1, 3, 13, 32}});
    compare_with_definition(type, gpu, {{6}, {1024, 2048}, {2, 13}});
  }
}

TEST(FusedNormAct, IsTheDefinitionOnFewImages) {
  for (const auto type : {torch::kFloat, torch::kHalf, torch::kBFloat16}) {
    compare_with_definition(type, gpu, {{8, 40}, {8, 64}, {2, 5}});
    compare_with_definition(type, gpu, {{5}, {2048}, {3}});
    compare_with_definition(type, gpu, {{12}, {64}, {5}, /*views=*/3});
  }
}

TEST(FusedNormAct, HandsOnWhatIsNoNumber) { testing::expect_what_is_no_number_is_handed_on(gpu); }

TEST(FusedNormAct, GivesTheSameWithoutGradients) { testing::expect_the_same_without_gradients(torch::kHalf, gpu); }

TEST(FusedNormAct, LeavesAloneWhatItDoesNotTake) {
  const auto norm_of = [](std::int64_t channels) {
    torch::nn::BatchNorm2d norm(channels);
    norm->to(gpu);
    return norm;
  };
  auto norm = norm_of(64);
  const auto x = in_rows(torch::randn({4, 64, 8, 8}, gpu));
  EXPECT_TRUE(fused_norm_act(norm, x, After::relu, {}).defined());
  EXPECT_FALSE(fused_norm_act(norm, x.contiguous(), After::relu, {}).defined());
  EXPECT_FALSE(fused_norm_act(norm, x, After::relu, x.to(torch::kHalf)).defined());
  auto uneven = norm_of(24);
  EXPECT_FALSE(fused_norm_act(uneven, in_rows(torch::randn({4, 24, 8, 8}, gpu)), After::relu, {}).defined());
  norm->eval();
  EXPECT_FALSE(fused_norm_act(norm, x, After::relu, {}).defined());
}

}  // namespace
}  // namespace relic
