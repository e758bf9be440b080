// What a machine cannot do is refused with the reason, whatever machine it is.
#include <ATen/detail/CUDAHooksInterface.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/torch.h>

#include <string>

#include "relic/core/error.h"
#include "relic/train/runtime.h"
#include "support/temporary_folder.h"
#include "train/cuda_graph.h"
#include "train/graphed_step.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using ::testing::StartsWith;

std::string refusal(const TrainConfig& config) {
  return message_of<UsageError>([&] { choose_runtime(config); });
}

TEST(RefusedRuntime, ADeviceThatIsNotThereIsToldWithTheReason) {
  TrainConfig config;
  config.device = "cuda:99";  // a number that no machine has
  const std::string message = refusal(config);
  EXPECT_THAT(message, StartsWith("--device cuda:99: "));
  if (torch::cuda::is_available()) {
    EXPECT_THAT(message, HasSubstr("this machine has " + std::to_string(torch::cuda::device_count()) +
                                   " CUDA device(s), numbered from 0"));
  } else if (at::detail::getCUDAHooks().hasCUDART()) {
    EXPECT_THAT(message, HasSubstr("LibTorch finds no usable CUDA device; check the driver with nvidia-smi, and "
                                   "CUDA_VISIBLE_DEVICES, or use --device cpu"));
  } else {
    EXPECT_THAT(message, HasSubstr("this program was built with a LibTorch without CUDA; build it with a CUDA one, or "
                                   "use --device cpu"));
  }
}

TEST(RefusedRuntime, Float16NeedsAGpu) {
  TrainConfig config;
  config.device = "cpu";
  config.precision = "fp16";
  EXPECT_EQ(refusal(config),
            "--precision fp16: float16 training needs a CUDA device; on a CPU use --precision bf16 or fp32");
}

TEST(RefusedRuntime, TwoNamesForAPrecisionMustMeanTheSame) {
  TrainConfig config;
  config.device = "auto";
  config.precision = "bf16";
  config.fp16_precision = true;
  if (torch::cuda::is_available()) {
    EXPECT_EQ(refusal(config), "--precision bf16 with --fp16_precision: must be one of them on a GPU");
  } else {
    EXPECT_TRUE(choose_runtime(config).autocast == torch::kBFloat16);
  }
}

TEST(RefusedRuntime, ACudaGraphNeedsWhatNvccCompiles) {
  TrainConfig config;
  config.device = "auto";
  config.cuda_graph = "on";
  const bool gpu = torch::cuda::is_available();
  if (gpu && has_cuda_graphs()) {
    EXPECT_EQ(choose_runtime(config).graph, Runtime::Graph::required);
  } else {
    EXPECT_EQ(refusal(config), std::string("--cuda_graph on: ") +
                                   (gpu ? "this program was built without nvcc" : "needs a CUDA device") +
                                   "; use --cuda_graph auto or off");
  }
}

#if !RELIC_WITH_CUDA
TEST(RefusedRuntime, NothingIsRecordedWithoutNvcc) {
  const auto sum = [](const Views& views) { return views.global.sum(); };
  std::string reason;
  GraphedStep step(sum, [&reason](const std::string& why) { reason = why; });
  GraphedStep required(sum);
  constexpr int kStepsBefore = 3;
  for (int i = 1; i <= kStepsBefore + 2; ++i) {
    const Views views{torch::full({2, 3, 4, 4}, i).to(torch::kFloat), {}, {}};
    EXPECT_EQ(step.run(views).item<float>(), 96 * i);
    EXPECT_EQ(reason, i > kStepsBefore ? "this program was built without nvcc" : "");
    EXPECT_EQ(step.gave_up(), i > kStepsBefore);
    if (i <= kStepsBefore) required.run(views);
  }
  const Views views{torch::ones({2, 3, 4, 4}), {}, {}};
  EXPECT_EQ(message_of<Error>([&] { required.run(views); }),
            "--cuda_graph on: a step cannot be recorded: this program was built without nvcc; use --cuda_graph auto or "
            "off");
}
#endif

}  // namespace
}  // namespace relic
