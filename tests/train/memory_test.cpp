#include "relic/train/memory.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

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
