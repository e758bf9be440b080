#include "relic/train/step_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"
#include "train/training_run.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;

constexpr std::int64_t kBatch = 8;

/// Milliseconds of each row: "  backward   40.0 %   5.00 ms".
std::map<std::string, double> milliseconds(const std::vector<std::string>& lines) {
  std::map<std::string, double> rows;
  for (const std::string& line : lines) {
    const auto name_end = line.find("  ", 2);
    const auto percent = line.find('%');
    if (line.starts_with("  ") && percent != std::string::npos) {
      rows[line.substr(2, name_end - 2)] = std::strtod(line.c_str() + percent + 1, nullptr);
    }
  }
  return rows;
}

void spend(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

TEST(StepProfile, TellsTheMeanTimeOfEachPartOfTheCountedSteps) {
  StepProfile profile(torch::kCPU, /*warm_up=*/1, /*steps=*/2);
  for (int step = 0; step < 3; ++step) {
    profile.begin_step({.data_seconds = 0.5 * step, .view_seconds = 2.0 * step});
    EXPECT_FALSE(profile.is_due());
    if (step == 0) {  // which is not counted
      profile.enter(StepPart::loss);
      spend(20);
    }
    profile.enter(StepPart::online_forward);
    spend(4);
    profile.enter(StepPart::backward);
    spend(8);
    profile.enter(StepPart::online_forward);  // parts that come twice add up
    spend(4);
    profile.enter(StepPart::rest);
  }
  profile.begin_step({.data_seconds = 1.5, .view_seconds = 6});
  EXPECT_TRUE(profile.is_due());

  const auto lines = profile.report(kBatch);
  EXPECT_THAT(lines.at(0), HasSubstr("time of a step, mean of 2: "));
  auto rows = milliseconds(lines);
  EXPECT_EQ(rows.size(), 10U);
  EXPECT_GE(rows.at("online forward"), 8);
  EXPECT_EQ(rows.at("loss"), 0);
  EXPECT_GE(rows.at("backward"), 8);
  EXPECT_DOUBLE_EQ(rows.at("data"), 500);
  EXPECT_DOUBLE_EQ(rows.at("views"), 2000);
}

TEST(StepProfile, TellsWhatAGpuTakesToRenderViews) {
  StepProfile profile(torch::kCPU, /*warm_up=*/0, /*steps=*/1);
  profile.begin_step({.view_seconds = 1, .batches = 10});
  profile.begin_step({.view_seconds = 1.5, .batches = 12});  // of one step, while the GPU caught up
  const auto lines = profile.report(kBatch);
  EXPECT_THAT(lines, ::testing::Contains("beside it, in the GPU's stream that renders views:"));
  const auto rows = milliseconds(lines);
  EXPECT_DOUBLE_EQ(rows.at("views"), 250);
  EXPECT_FALSE(rows.contains("data"));
}

TEST(StepProfile, SaysNothingBeforeAStepWasCounted) {
  StepProfile profile(torch::kCPU, /*warm_up=*/1, /*steps=*/2);
  profile.begin_step({});
  EXPECT_TRUE(profile.report(kBatch).empty());
  profile.begin_step({});
  EXPECT_TRUE(profile.report(kBatch).empty());
}

/// The lines about it in the log of a training of six steps.
std::string profiled_log(const std::filesystem::path& folder, std::int64_t steps) {
  testing::TrainingRun run(testing::small_config(folder));
  run.log.open_file(folder / "train.log");
  run.trainer->profile(steps);
  run.trainer->run(testing::never);
  return read_file(folder / "train.log");
}

TEST(StepProfile, ATrainingTellsItOnceItIsDue) {
  const TemporaryFolder folder;
  const std::string log = profiled_log(folder / "run", 2);
  const auto first = log.find("time of a step, mean of 2: ");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("time of a step", first + 1), std::string::npos);
}

TEST(StepProfile, LeavesOutWhatIsOfNoStep) {
  const auto now = std::chrono::steady_clock::now;
  const auto began = now();
  StepProfile profile(torch::kCPU, /*warm_up=*/0, /*steps=*/1);
  profile.begin_step({});
  profile.enter(StepPart::none);
  const auto asleep = now();
  spend(100);
  const auto awake = now();
  profile.begin_step({});
  const std::string title = profile.report(kBatch).at(0);
  const std::chrono::duration<double, std::milli> most = now() - began - (awake - asleep);
  EXPECT_LE(std::stod(title.substr(title.find(": ") + 2)), most.count() + 0.01);  // its last digit is rounded
}

TEST(StepProfile, ATrainingThatEndsEarlierTellsWhatItHas) {
  const TemporaryFolder folder;
  EXPECT_THAT(profiled_log(folder / "run", 100), HasSubstr("time of a step, mean of 3, not of 100: "));
}

}  // namespace
}  // namespace relic
