// What belongs to a training's device, as far as a CPU shows it.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>
#include <torch/torch.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "nn/convolution.h"
#include "relic/core/cpu.h"
#include "relic/core/error.h"
#include "relic/train/runtime.h"
#include "relic/train/step_queue.h"
#include "support/temporary_folder.h"
#include "train/bfloat16_cost.h"
#include "train/device_math.h"

namespace relic {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

torch::Tensor measured(float loss) { return torch::tensor({loss, 0.25F, 0.5F, -1.0F, 0.125F, 0.75F, 0.0F}); }

StepMetrics known(std::int64_t step) {
  StepMetrics metrics;
  metrics.step = step;
  metrics.gamma = 0.9;
  return metrics;
}

TEST(Runtime, TellsHowBfloat16IsMultipliedOnACpu) {
  TrainConfig config;
  config.device = "cpu";
  config.precision = "bf16";
  const auto runtime = choose_runtime(config);
  const auto noted = Contains(HasSubstr("bfloat16: convolutions multiply in float32"));
  const auto warned = Contains(HasSubstr("bfloat16 takes"));
  if (computes_bfloat16_in_float32()) {
    EXPECT_THAT(runtime.notes, noted);
    EXPECT_THAT(runtime.warnings, Not(warned));
  } else {
    EXPECT_THAT(runtime.notes, Not(noted));
    EXPECT_EQ(::testing::Value(runtime.warnings, warned), bfloat16_cost(runtime.compute_threads) > 1.1);
  }
}

TEST(Runtime, MoreThreadsThanCoresCanServeAreWarnedOf) {
  TrainConfig config;
  config.device = "cpu";
  const int cores = available_cores();
  config.num_threads = cores;
  config.num_workers = 4 * cores;
  EXPECT_THAT(choose_runtime(config).warnings, IsEmpty());
  config.num_threads = cores + 1;
  config.num_workers = 4 * cores + 1;
  EXPECT_THAT(choose_runtime(config).warnings,
              ElementsAre(StartsWith("--num_threads " + std::to_string(cores + 1) + ": more than the "),
                          StartsWith("--num_workers " + std::to_string(4 * cores + 1) + ": far more than the ")));
}

TEST(DeviceMath, IsPyTorchsOwnUnderCompatAndTheFastestElse) {
  TrainConfig config;
  Runtime runtime;
  runtime.tf32 = true;
  const auto expect = [&](bool convolutions, bool products, bool benchmark) {
    const auto math = device_math(config, runtime);
    EXPECT_EQ(math.tf32_convolutions, convolutions);
    EXPECT_EQ(math.tf32_products, products);
    EXPECT_EQ(math.benchmark, benchmark);
  };
  expect(true, true, true);
  runtime.autocast = torch::kHalf;  // products left in float32 are the loss's
  expect(true, false, true);
  config.deterministic = true;
  expect(true, false, false);
  config.compat = "0.4.1";  // PyTorch allows TF32 in convolutions alone, and tries nothing
  expect(true, false, false);
  runtime.autocast.reset();
  expect(true, false, false);
  runtime.tf32 = false;
  expect(false, false, false);
  config.compat.clear();
  expect(false, false, false);
}

TEST(StepQueue, HandsStepsOverInOrderWithWhatWasMeasured) {
  StepQueue queue(torch::kCPU);
  auto reused = measured(0);  // as a recorded step does
  for (std::int64_t step = 1; step <= 3; ++step) {
    reused[0] = static_cast<double>(step);
    queue.push(known(step), reused);
  }
  const auto steps = queue.arrived();
  ASSERT_EQ(steps.size(), 3U);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i].step, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(steps[i].loss, static_cast<double>(i) + 1);
    EXPECT_EQ(steps[i].invariance_loss, 0.25);
    EXPECT_DOUBLE_EQ(steps[i].temperature, std::exp(0.5));
    EXPECT_EQ(steps[i].bias, -1);
    EXPECT_EQ(steps[i].top1, 0.125);
    EXPECT_EQ(steps[i].top5, 0.75);
    EXPECT_EQ(steps[i].gamma, 0.9);
  }
  EXPECT_TRUE(queue.all().empty());
}

TEST(StepQueue, GoesOnAfterItsPlacesHaveAllBeenUsed) {
  StepQueue queue(torch::kCPU);
  for (std::int64_t step = 1; step <= 100; ++step) {
    queue.push(known(step), measured(static_cast<float>(step)));
    const auto steps = queue.all();
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].loss, static_cast<double>(step));
  }
}

TEST(DeviceMath, EndsWithItsScope) {
  const auto& context = at::globalContext();
  const bool benchmark = context.benchmarkCuDNN();
  const bool products = context.allowTF32CuBLAS();
  const bool convolutions = context.allowTF32CuDNN();
  {
    const DeviceMathScope scope({.tf32_convolutions = false, .tf32_products = true, .benchmark = true});
    EXPECT_FALSE(context.allowTF32CuDNN());
    EXPECT_TRUE(context.allowTF32CuBLAS());
    EXPECT_TRUE(context.benchmarkCuDNN());
    {
      const DeviceMathScope inner(DeviceMath{});
      EXPECT_TRUE(context.allowTF32CuDNN());
      EXPECT_FALSE(context.allowTF32CuBLAS());
      EXPECT_FALSE(context.benchmarkCuDNN());
    }
    EXPECT_TRUE(context.allowTF32CuBLAS());
  }
  EXPECT_EQ(context.allowTF32CuDNN(), convolutions);
  EXPECT_EQ(context.allowTF32CuBLAS(), products);
  EXPECT_EQ(context.benchmarkCuDNN(), benchmark);
}

TEST(Runtime, ACudaGraphNeedsACudaDevice) {
  TrainConfig config;
  config.device = "cpu";
  config.cuda_graph = "on";
  EXPECT_THAT(testing::message_of<UsageError>([&] { choose_runtime(config); }),
              HasSubstr("--cuda_graph on: needs a CUDA device"));
  config.cuda_graph = "auto";
  EXPECT_EQ(choose_runtime(config).graph, Runtime::Graph::off);
  EXPECT_FALSE(choose_runtime(config).tf32);
}

std::string loaded_in_order() {
  std::string names;
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t /*size*/, void* all) {
        static_cast<std::string*>(all)->append(object->dlpi_name).append("\n");
        return 0;
      },
      &names);
  return names;
}

/// LibTorch's libraries bring an older copy along, which does not fit what is compiled here.
TEST(Linking, TheStandardLibrarysFilesystemIsTheSystems) {
  auto* const remove_all = static_cast<std::uintmax_t (*)(const std::filesystem::path&)>(&std::filesystem::remove_all);
  Dl_info where{};
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(remove_all), &where), 0);
  EXPECT_THAT(std::filesystem::path(where.dli_fname).filename().string(), HasSubstr("libstdc++.so"))
      << loaded_in_order();
}

}  // namespace
}  // namespace relic
