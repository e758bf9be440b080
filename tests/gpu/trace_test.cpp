// The original's steps, by a GPU.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "train/device_math.h"
#include "train/traced_run.h"

namespace relic {
namespace {

class GpuTrace : public ::testing::TestWithParam<int> {
  DeviceMathScope math_{DeviceMath{.tf32_convolutions = false}};
};

TEST_P(GpuTrace, RepeatsTheOriginalsStepsInFloat64) {
  testing::expect_the_originals_steps_in_float64(GetParam(), torch::kCUDA);
}

TEST_P(GpuTrace, FollowsTheOriginalInFloat32) {
  testing::expect_the_originals_losses_in_float32(GetParam(), torch::kCUDA);
}

INSTANTIATE_TEST_SUITE_P(Variants, GpuTrace, ::testing::Range(0, 4), testing::trace_name);

}  // namespace
}  // namespace relic
