// Numbers that are not finite in a training by the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "apps/program.h"
#include "relic/run/checkpoint.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Reliability = testing::ProgramTest;

TEST_F(Reliability, DetectAnomalyAndDeterministicTrain) {
  const auto outcome = train({"--max_steps", "2", "--no_scores", "--detect_anomaly", "--deterministic"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto conflict = train({"--overwrite", "--detect_anomaly", "--cuda_graph", "on"});
  EXPECT_EQ(conflict.status, 2);
  EXPECT_THAT(conflict.err, HasSubstr("--detect_anomaly with --cuda_graph on"));
}

TEST_F(Reliability, DivergenceListsTheBatchAndKeepsTheLastCheckpoint) {
  const auto outcome = train({"-lr", "1e39", "--no_scores", "--num_epochs", "4"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("the loss is not finite"), HasSubstr("run/not_finite.txt"),
                                 HasSubstr("the last good state, step 0")));
  EXPECT_THAT(file("not_finite.txt"), HasSubstr("index,class,name\n"));
  EXPECT_THAT(file("train.log"), HasSubstr("error: step 2: the loss is not finite"));
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.step, 0);
  EXPECT_EQ(train({"--resume", "-lr", "1e-4", "--max_steps", "2", "--no_scores"}).status, 0);
}

TEST_F(Reliability, AnEvaluationOfWeightsPastUseDoesNotHideTheDivergence) {
  const auto outcome = train({"-lr", "1e39", "--eval_every_n_steps", "1", "--num_epochs", "4"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("step 1 cannot be evaluated: "), HasSubstr("the loss is not finite"),
                                 HasSubstr("run/not_finite.txt")));
}

}  // namespace
}  // namespace relic
