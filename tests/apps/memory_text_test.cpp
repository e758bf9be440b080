// What is said of memory and disk before, and where, there is too little.
#include "memory_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "disk_text.h"
#include "error_text.h"
#include "relic/core/file.h"
#include "relic/train/options.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Plan small_plan() {
  Plan plan;
  plan.config.dataset_name = "shapes";
  plan.config.batch_size = 64;
  plan.config.num_local_views = 1;
  plan.config.proj_hidden_dim = 16;
  plan.images.size = 1000;
  return plan;
}

TEST(MemoryText, OutOfAGpusMemoryNamesBatchViewsNeedAndWhatHelps) {
  auto plan = small_plan();
  const auto text = too_little_gpu_memory(plan);
  EXPECT_THAT(text, AllOf(StartsWith("out of the GPU's memory with --batch_size 64 and views 2 global "),
                          HasSubstr(views_text(plan.config) + ", which need about "),
                          EndsWith("; take a smaller --batch_size or fewer views, or --precision fp16")));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  plan.runtime.autocast = torch::kBFloat16;
  plan.runtime.graph = Runtime::Graph::required;
  EXPECT_THAT(too_little_gpu_memory(plan), EndsWith("fewer views, or --cuda_graph auto, which does without a graph"));
}

TEST(MemoryText, AGpuThatIsFullIsToldByWhoeverAskedIt) {
  for (const char* message : {"CUDA error: out of memory\nCUDA kernel errors might be reported later",
                              "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
                              "BatchNorm on the GPU: out of memory"}) {
    EXPECT_TRUE(is_out_of_gpu_memory(std::runtime_error(message))) << message;
  }
  EXPECT_FALSE(is_out_of_gpu_memory(std::runtime_error("CUDA error: an illegal memory access was encountered")));
}

TEST(MemoryText, AsManyImagesFitAsTheirShareOfWhatIsLeft) {
  MemoryNeed need{.state = 1e9, .activations = 1.5e9, .views = 0.5e9, .snapshot = 7e9};
  // Nine tenths of 3 GB, less the state and the images that lie there, at 10 MB each.
  EXPECT_EQ(images_that_fit(need, 200, 0.645e9, 3e9), 105);
  EXPECT_EQ(images_that_fit(need, 200, 0, 3e9), 170);
  EXPECT_EQ(images_that_fit(need, 200, 0, 1e9), 0);
  need.logits = 0.4e9;  // 10 KB for the square of an image's number: of 1.7 GB, 148 images take 1.48 GB and 0.22 GB
  EXPECT_EQ(images_that_fit(need, 200, 0, 3e9), 148);
}

TEST(MemoryText, WarnsWhereLessIsFreeThanIsNeeded) {
  EXPECT_THAT(memory_warning("memory", {1e9, 2e9}, 2e9, 64), IsEmpty());
  EXPECT_EQ(memory_warning("memory", {2e9, 3e9}, 1.5e9, 48),
            "1.5 GB of memory are free, about 2.0 GB are needed: the training will not fit; about 48 images in a batch "
            "would");
  EXPECT_EQ(
      memory_warning("memory", {2e9, 3e9}, 2.5e9, 48),
      "2.5 GB of memory are free, up to 3.0 GB may be needed: the training may not fit; about 48 images in a batch "
      "would");
  EXPECT_THAT(memory_warning("the GPU's memory", {2e9, 2e9}, 1e8, 1),
              AllOf(StartsWith("100.0 MB of the GPU's memory are free, "),
                    EndsWith("will not fit; take a smaller --batch_size or fewer views")));
}

TEST(MemoryText, TheForecastOfAStepNamesWhatIsFreeAndWarnsOfABatchFarTooLarge) {
  auto plan = small_plan();
  plan.config.batch_size = 4;
  const auto relic = initial_relic(plan.config, torch::kCPU);
  const auto fits = memory_forecast(plan, *relic);
  EXPECT_THAT(fits.text, AllOf(StartsWith("memory: about "), EndsWith(" are free")));
  EXPECT_THAT(fits.warning, IsEmpty());
  plan.config.batch_size = 100'000'000;
  EXPECT_THAT(memory_forecast(plan, *relic).warning, HasSubstr("the training will not fit"));
}

TEST(DiskText, WarnsWhereLessIsFreeThanTheRunNeeds) {
  const testing::TemporaryFolder folder;
  const RunDirectory run(folder / "not made/yet");
  auto plan = small_plan();
  const auto relic = initial_relic(plan.config, torch::kCPU);
  EXPECT_THAT(disk_warning(plan, *relic, run), IsEmpty());
  EXPECT_THAT(disk_text(plan, *relic, run), AllOf(StartsWith("disk: about "), EndsWith(" are free there")));
  plan.config.keep_checkpoints = 1'000'000'000;
  EXPECT_THAT(disk_warning(plan, *relic, run), AllOf(HasSubstr(" are free in " + run.folder().string() + ", about "),
                                                     EndsWith(" are needed: saves will fail")));
  // Files that lie there, here one that is all hole, are replaced.
  plan.config.keep_checkpoints = 10'000;
  EXPECT_THAT(disk_warning(plan, *relic, run), HasSubstr("saves will fail"));
  run.create();
  write_file(run.checkpoint_of(7), "");
  std::filesystem::resize_file(run.checkpoint_of(7), std::uintmax_t{3} << 40U);
  EXPECT_THAT(disk_warning(plan, *relic, run), IsEmpty());
}

}  // namespace
}  // namespace relic
