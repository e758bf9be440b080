// What a signal does to a training.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "apps/program.h"
#include "relic/run/checkpoint.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::Child;
using testing::count_steps;
using ::testing::HasSubstr;
using ::testing::Not;
using Reliability = testing::ProgramTest;
using FolderReliability = testing::FolderProgramTest;

TEST_F(Reliability, AClustersWarningSavesAndReturns75) {
  std::int64_t before = 0;
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    const Child child(arguments({"--num_epochs", "400", "--resume", "--no_scores"}), folder_.path());
    child.wait_for_line("images/s\n");
    child.send(signal);
    if (signal == SIGUSR2) child.send(SIGTERM);  // what follows a warning does not change its status
    const auto outcome = child.outcome();
    EXPECT_EQ(outcome.status, 75) << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("interrupted by SIGUSR"), HasSubstr("is saved in")));
    const auto step = read_checkpoint(folder_ / "run/checkpoint.pth").progress.step;
    EXPECT_GT(step, before);
    EXPECT_EQ(count_steps(file("metrics.csv")), static_cast<std::size_t>(step));
    before = step;
  }
}

TEST_F(Reliability, AHangupSavesUnlessItIsIgnored) {
  {
    const Child child(arguments({"--num_epochs", "400", "--no_scores"}), folder_.path());
    child.wait_for_line("epoch 1 of 400");
    child.send(SIGHUP);
    EXPECT_EQ(child.outcome().status, 128 + SIGHUP);
  }
  const Child child(arguments({"--num_epochs", "400", "--no_scores", "--resume"}), folder_.path(),
                    [] { ::signal(SIGHUP, SIG_IGN); });
  child.wait_for_line("images/s\n");
  child.send(SIGHUP);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  child.send(SIGTERM);
  EXPECT_EQ(child.outcome().status, 143);
}

TEST_F(Reliability, ASecondInterruptStopsAtOnce) {
  // A step takes seconds, so that both come within one.
  const Child child(arguments({"-b", "20", "--image_size", "128", "--num_local_views", "6", "--no_scores"}),
                    folder_.path());
  child.wait_for_line("is chance");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  child.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  child.send(SIGINT);
  const auto outcome = child.outcome();
  EXPECT_EQ(outcome.signal, SIGINT) << outcome.status;
  EXPECT_THAT(outcome.out, Not(HasSubstr("interrupted")));
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.step, 0);
}

TEST_F(FolderReliability, ScoresThatAreInterruptedAreMadeUp) {
  // So many that the scores take seconds.
  put("train/cat", 75);
  put("train/dog", 75);
  put("test/cat", 3);
  put("test/dog", 2);
  const std::string images = (folder_ / "images").string();
  {
    const Child child(
        arguments({"--dataset_name", "folder", "--dataset_path", images, "--image_size", "24", "--max_steps", "1"}),
        folder_.path());
    child.wait_for_line("scoring the untrained encoder on 150 training and 5 test images");
    child.send(SIGTERM);
    const auto outcome = child.outcome();
    EXPECT_EQ(outcome.status, 143) << outcome.err;
    EXPECT_THAT(outcome.out,
                HasSubstr("scoring was interrupted; the training is whole and saved, and --resume scores it again"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/scores.json"));
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.step, 1);
  const auto resumed = run_recorded({"--resume", "--max_steps", "1"});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/scores.json"));
}

}  // namespace
}  // namespace relic
