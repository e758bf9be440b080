#include "relic/train/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace relic {
namespace {

using ::testing::StartsWith;

/// Batches of 8 images, by a clock that moves when it is told to.
class Progress : public ::testing::Test {
 protected:
  void pass(int seconds) { now_ += std::chrono::seconds(seconds); }

  ProgressLine::Clock::time_point now_;
  Log log_{LogLevel::error};
  ProgressLine line_{
      log_, {.last_step = 40, .steps_per_epoch = 20, .epochs = 2, .batch_size = 8}, [this] { return now_; }};
};

TEST_F(Progress, TellsTheRateOfTheLastSteps) {
  pass(60);
  EXPECT_DOUBLE_EQ(line_.count_steps(1), 8.0 / 60);
  pass(2);
  EXPECT_DOUBLE_EQ(line_.count_steps(1), 8.0 / 2);  // the first step warms up
  for (int step = 0; step < 200; ++step) {
    pass(4);
    line_.count_steps(1);
  }
  EXPECT_NEAR(line_.count_steps(0), 8.0 / 4, 1e-3);
}

TEST_F(Progress, SaysHowLongIsLeftOfTheTrainingAndAtItsEndThatItIsDone) {
  pass(60);
  line_.count_steps(1);
  pass(60);
  line_.count_steps(1);
  EXPECT_THAT(line_.text({.step = 2, .epoch = 1}, 0, 0), StartsWith("epoch 1/2  step 2/20  38:00 left  epoch loss "));
  EXPECT_THAT(line_.text({.step = 40, .epoch = 2}, 0, 0), StartsWith("epoch 2/2  step 20/20  done  epoch loss "));
}

TEST_F(Progress, AnEpochsRateHasAllThatHappenedBetweenItsSteps) {
  for (int step = 1; step <= 20; ++step) {
    pass(step == 7 ? 11 : 1);
    line_.count_steps(1);
  }
  EXPECT_DOUBLE_EQ(line_.images_per_second_of_epoch(), 20 * 8 / 30.0);
  pass(2);
  line_.count_steps(4);
  EXPECT_DOUBLE_EQ(line_.images_per_second_of_epoch(), 4 * 8 / 2.0);
}

TEST_F(Progress, AnEpochsRateLeavesOutWhatIsSkipped) {
  pass(10);
  line_.count_steps(10);
  pass(100);
  line_.skip_time();
  pass(10);
  line_.count_steps(10);
  EXPECT_DOUBLE_EQ(line_.images_per_second_of_epoch(), 20 * 8 / 20.0);
}

TEST_F(Progress, OfAnEpochThatEndsTogetherWithAnotherItIsTheRateOfTheLastSteps) {
  pass(16);
  const double last = line_.count_steps(16);
  line_.images_per_second_of_epoch();
  EXPECT_DOUBLE_EQ(line_.images_per_second_of_epoch(), last);
}

}  // namespace
}  // namespace relic
