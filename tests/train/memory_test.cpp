#include "relic/train/memory.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "train/allocation_peak.h"

namespace relic {

TEST(Memory, StateCountsWeightsTargetGradientsAndMoments) {
  Relic relic({"resnet18", Stem::cifar, 512, 64, false});
  const auto need = measure_memory_need(relic, multi_crop_for(32, 2, 4), 64, {});
  // 11.17 M in the encoder, 0.295 M in the projector, twice; gradients and moments of the online ones.
  EXPECT_NEAR(need.state, 5 * 4 * (11168832 + 512 * 512 + 512 * 64), 0.5e6);
}

TEST(Memory, ActivationsGrowWithTheBatchAndAreWhatTheNetworkKeeps) {
  Relic relic({"resnet18", Stem::cifar, 512, 64, false});
  const auto spec = multi_crop_for(32, 2, 4);
  const auto one = measure_memory_need(relic, spec, 64, {});
  const auto two = measure_memory_need(relic, spec, 128, {});
  EXPECT_NEAR(two.activations / one.activations, 2, 1e-9);
  // Outputs of convolutions, normalisations, ReLUs of a ResNet-18 at 32 and 13 pixels: about 6.4 MB in float16 for an
  // image's six views, twice that in float32.
  EXPECT_GT(one.activations / 64, 6e6);
  EXPECT_LT(one.activations / 64, 26e6);
}

TEST(Memory, TheLogitsOfTheLossGrowWithTheSquareOfTheBatch) {
  Relic relic({"resnet18", Stem::cifar, 64, 16, false});
  const auto spec = multi_crop_for(8, 2, 4);
  const auto one = measure_memory_need(relic, spec, 1024, {});
  // Of a target and an online view each [N, N] in float32, several at a time.
  EXPECT_GT(one.logits, 3 * 12 * 4 * 1024.0 * 1024);
  EXPECT_LT(one.logits, 12 * 12 * 4 * 1024.0 * 1024);
  ForwardOptions two_views;
  two_views.local_views = 0;
  EXPECT_LT(measure_memory_need(relic, multi_crop_for(8, 2, 0), 1024, two_views).logits, 0.4 * one.logits);
}

TEST(Memory, TheForecastOfALargeBatchIsWhatItsStepTakes) {
  Relic relic({"resnet18", Stem::imagenet, 64, 16, false});
  const auto spec = multi_crop_for(8, 2, 4);
  constexpr std::int64_t images = 512;
  const auto need = measure_memory_need(relic, spec, images, {});
  const auto random = [](std::int64_t count, int size) {
    return torch::rand({count * images, 3, size, size}).contiguous(at::MemoryFormat::ChannelsLast);
  };
  const Views views{random(2, spec.global.size), random(4, spec.local.size), {}};
  relic.zero_grad(/*set_to_none=*/true);
  const double taken = allocation_peak([&] { forward_views(relic, views, images, {}).loss.backward(); });
  EXPECT_NEAR((need.activations + need.logits) / taken, 1, 0.1);
  EXPECT_LT(need.activations, 0.7 * taken);
}

TEST(Memory, AGpusFloat16TakesAboutHalfOfFloat32sActivations) {
  Relic relic({"resnet18", Stem::cifar, 512, 64, false});
  const auto spec = multi_crop_for(32, 2, 4);
  ForwardOptions half;
  half.autocast = torch::kHalf;
  const auto of_half = measure_memory_need(relic, spec, 64, half);
  const auto of_float = measure_memory_need(relic, spec, 64, {});
  EXPECT_GT(of_half.activations, 0.4 * of_float.activations);
  EXPECT_LT(of_half.activations, 0.75 * of_float.activations);
}

TEST(Memory, MeasuringLeavesTheModelAsItWas) {
  Relic relic({"resnet18", Stem::cifar, 64, 16, false});
  const auto before = relic.buffers()[0].clone();
  ForwardOptions globals_only;
  globals_only.local_views = 0;
  measure_memory_need(relic, multi_crop_for(32, 2, 0), 8, globals_only);
  EXPECT_TRUE(torch::equal(relic.buffers()[0], before));
}

}  // namespace relic
