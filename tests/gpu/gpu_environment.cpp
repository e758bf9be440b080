// Without a GPU these tests say nothing, and say so.
#include <gtest/gtest.h>
#include <torch/cuda.h>

namespace relic {
namespace {

class GpuEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    if (!torch::cuda::is_available()) GTEST_SKIP() << "LibTorch finds no usable CUDA device";
  }
};

[[maybe_unused]] const auto* const environment = ::testing::AddGlobalTestEnvironment(new GpuEnvironment);

}  // namespace
}  // namespace relic
