// Whole training steps against the original's: views, both networks, loss, optimizer and target update together.
#include <gtest/gtest.h>

#include <optional>

#include "relic/nn/autocast_scope.h"
#include "train/traced_run.h"

namespace relic {
namespace {

class TraceTest : public ::testing::TestWithParam<int> {};

TEST_P(TraceTest, RepeatsTheOriginalsStepsInFloat64) {
  testing::expect_the_originals_steps_in_float64(GetParam(), torch::kCPU);
}

TEST_P(TraceTest, FollowsTheOriginalInFloat32) {
  testing::expect_the_originals_losses_in_float32(GetParam(), torch::kCPU);
}

INSTANTIATE_TEST_SUITE_P(Variants, TraceTest, ::testing::Range(0, 4), testing::trace_name);

TEST(ForwardViews, UnderAutocastNormalisationAndLossStayInFloat32) {
  constexpr std::int64_t kTraceBatch = 4;
  Relic relic(RelicOptions{});
  testing::convert_channels_last(relic);
  relic.eval();  // so that the second pass sees what the first one saw
  TrainConfig config;
  config.num_global_views = testing::kTraceGlobalViews;
  config.num_local_views = 0;
  Runtime runtime;
  runtime.autocast = torch::kBFloat16;
  const auto options = forward_options(config, runtime);
  const auto views = testing::trace_views(0, kTraceBatch, torch::kFloat);
  const auto terms = forward_views(relic, views, kTraceBatch, options);
  EXPECT_EQ(terms.loss.scalar_type(), torch::kFloat);
  EXPECT_EQ(terms.logits.scalar_type(), torch::kFloat);

  torch::Tensor online;
  torch::Tensor target;
  {
    const AutocastScope autocast(torch::kCPU, torch::kBFloat16);
    online = relic.online().forward(views.global);
    target = relic.target().forward(views.global);
  }
  ASSERT_EQ(online.scalar_type(), torch::kBFloat16) << "the networks do run in bfloat16";
  const auto expected = relic_loss(online.to(torch::kFloat), target.to(torch::kFloat), kTraceBatch,
                                   relic.log_temperature, relic.bias, options.loss);
  EXPECT_EQ(terms.loss.item<float>(), expected.loss.item<float>());
  EXPECT_TRUE(torch::equal(terms.logits, expected.logits));
}

/// Else the optimizer copies them, and LibTorch warns of it.
TEST(ForwardViews, GradientsLieInMemoryAsTheirWeights) {
  constexpr std::int64_t kTraceBatch = 4;
  for (const char* encoder : {"resnet18", "efficientnet"}) {
    for (const auto& autocast : {std::optional<torch::ScalarType>{}, std::optional(torch::kBFloat16)}) {
      Relic relic(RelicOptions{.encoder = encoder});
      TrainConfig config;
      config.bn_per_view = autocast.has_value();
      Runtime runtime;
      runtime.autocast = autocast;
      forward_views(relic, testing::trace_views(0, kTraceBatch, torch::kFloat), kTraceBatch,
                    forward_options(config, runtime))
          .loss.backward();
      for (const auto& parameter : relic.named_parameters()) {
        const auto& weight = parameter.value();
        if (!weight.requires_grad()) continue;  // the target's
        ASSERT_TRUE(weight.grad().defined()) << encoder << " " << parameter.key();
        for (std::int64_t d = 0; d < weight.dim(); ++d) {
          EXPECT_TRUE(weight.size(d) == 1 || weight.grad().stride(d) == weight.stride(d))
              << encoder << " " << parameter.key();
        }
      }
    }
  }
}

TEST(ForwardOptions, AreWhatTheSettingsMean) {
  TrainConfig config;
  EXPECT_EQ(forward_options(config, Runtime{}).loss.max_temperature, 5);
  EXPECT_FALSE(forward_options(config, Runtime{}).statistics_per_view);
  config.bn_per_view = true;
  EXPECT_TRUE(forward_options(config, Runtime{}).statistics_per_view);
  config.use_siglip = true;
  EXPECT_EQ(forward_options(config, Runtime{}).loss.max_temperature, 15);
  config.bn_per_view = false;
  config.compat = "0.4.1";
  EXPECT_TRUE(forward_options(config, Runtime{}).statistics_per_view);
  EXPECT_TRUE(forward_options(config, Runtime{}).local_views_reuse_globals);
}

}  // namespace
}  // namespace relic
