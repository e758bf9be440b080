// What is said of memory and disk before, and where, there is too little.
#include "memory_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "disk_text.h"
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

TEST(MemoryText, AsManyImagesFitAsTheirShareOfWhatIsLeft) {
  const MemoryNeed need{.state = 1e9, .activations = 1.5e9, .views = 0.5e9, .snapshot = 7e9};
  // Nine tenths of 3 GB, less the state and the images that lie there, at 10 MB each.
  EXPECT_EQ(images_that_fit(need, 200, 0.645e9, 3e9), 105);
  EXPECT_EQ(images_that_fit(need, 200, 0, 3e9), 170);
  EXPECT_LT(images_that_fit(need, 200, 0, 1e9), 1);
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
