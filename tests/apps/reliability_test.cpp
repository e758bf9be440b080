// Trainings that are killed, warned, and kept from writing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "apps/program.h"
#include "relic/core/random.h"
#include "relic/train/checkpoint.h"
#include "relic/train/run_directory.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::Child;
using testing::count_steps;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::slurp;
using testing::spit;
using Reliability = testing::ProgramTest;
using FolderReliability = testing::FolderProgramTest;

/// Rows of metrics.csv without their last column, the rate.
std::vector<std::string> rows(const std::string& table) {
  std::istringstream text(table);
  std::vector<std::string> all;
  for (std::string line; std::getline(text, line);) all.push_back(line.substr(0, line.rfind(',')));
  return all;
}

void expect_same(const StateDict& a, const StateDict& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].first, b[i].first);
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

class Kills : public testing::ProgramTest, public ::testing::WithParamInterface<const char*> {};

// Each round trains on, with a save after every other step, until it is killed at a random moment; the seed of the
// moments is printed, since what a moment meets differs from run to run anyway.
TEST_P(Kills, AtRandomMomentsLoseNothingAndCountNothingTwice) {
  constexpr int kRounds = 25;
  constexpr std::int64_t kSteps = 60;
  const std::vector<std::string> settings{"--precision", GetParam(),    "--log_every_n_steps", "2",  "--num_epochs",
                                          "400",         "--no_scores", "--proj_hidden_dim",   "16", "--max_steps"};
  auto whole = arguments(settings);
  whole.insert(whole.end(), {std::to_string(kSteps), "-save_model_dir", (folder_ / "whole").string(),
                             "--log_every_n_steps", "1000"});
  const auto uninterrupted = Child(whole, folder_.path()).outcome();
  ASSERT_EQ(uninterrupted.status, 0) << uninterrupted.err;

  const auto seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  CounterRng random(seed, 0, 0, 0);
  std::cout << "seed of the moments: " << seed << '\n';
  std::int64_t step = 0;
  int kills = 0;
  int terminations = 0;
  for (int round = 0; round < kRounds; ++round) {
    auto words = arguments(settings);
    // Another number of workers each time.
    words.insert(words.end(), {"1000000", "--resume", "--num_workers", std::to_string(1 + round % 3)});
    const Child child(words, folder_.path());
    const bool asks = random.below(2) == 0;
    // Every other one while it trains, the others while it starts as well.
    if (round % 2 == 1) child.wait_for_line("is chance");
    std::this_thread::sleep_for(std::chrono::milliseconds(random.below(round % 2 == 1 ? 1000 : 2500)));
    child.send(asks ? SIGTERM : SIGKILL);
    const auto outcome = child.outcome();
    // SIGTERM before its handler is there ends a process as SIGKILL does.
    EXPECT_TRUE(outcome.status == -1 || (asks && outcome.status == 143)) << outcome.status << ": " << outcome.err;
    ++(asks ? terminations : kills);
    const RunDirectory run(folder_ / "run");
    if (!run.has_checkpoint()) continue;
    const auto checkpoint = read_checkpoint(run.checkpoint());  // of every round, whole
    EXPECT_GE(checkpoint.progress.step, step);
    step = checkpoint.progress.step;
    for (const auto kept : run.kept_steps()) EXPECT_EQ(read_checkpoint(run.checkpoint_of(kept)).progress.step, kept);
    if (step > kSteps) break;
  }
  std::cout << kills << " kills and " << terminations << " terminations, up to step " << step << '\n';
  ASSERT_LE(step, kSteps) << "fewer steps a round are needed";

  auto rest = arguments(settings);
  rest.insert(rest.end(), {std::to_string(kSteps), "--resume"});
  const auto last = Child(rest, folder_.path()).outcome();
  ASSERT_EQ(last.status, 0) << last.err;
  const auto a = read_checkpoint(folder_ / "whole/checkpoint.pth");
  const auto b = read_checkpoint(folder_ / "run/checkpoint.pth");
  EXPECT_EQ(b.progress.step, kSteps);
  expect_same(a.model, b.model);
  expect_same(a.first_moments, b.first_moments);
  expect_same(a.second_moments, b.second_moments);
  expect_same(a.optimizer_steps, b.optimizer_steps);
  EXPECT_EQ(a.progress.total_loss_sum, b.progress.total_loss_sum);
  EXPECT_EQ(a.progress.epoch_loss_sum, b.progress.epoch_loss_sum);
  EXPECT_EQ(rows(slurp(folder_ / "whole/metrics.csv")), rows(file("metrics.csv")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/.relic-lock"));
}

INSTANTIATE_TEST_SUITE_P(Precision, Kills, ::testing::Values("fp32", "bf16"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(Reliability, AClustersWarningSavesAndReturns75) {
  std::int64_t before = 0;
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    const Child child(arguments({"--num_epochs", "400", "--resume", "--no_scores"}), folder_.path());
    child.wait_for_line("images/s\n");
    child.send(signal);
    if (signal == SIGUSR2) child.send(SIGTERM);  // what follows a warning does not change its status
    const auto outcome = child.outcome();
    EXPECT_EQ(outcome.status, 75) << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("interrupted: step"), HasSubstr("is saved in")));
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
  const Child child(arguments({"--num_epochs", "400", "--no_scores"}), folder_.path());
  child.wait_for_line("epoch 1 of 400");
  child.send(SIGINT);
  child.send(SIGINT);
  int status = 0;
  ::waitpid(child.pid(), &status, 0);
  // Both may arrive before the step ends, or the first one's save be over before the second.
  EXPECT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) || (WIFEXITED(status) && WEXITSTATUS(status) == 130));
  EXPECT_EQ(train({"--resume", "--max_steps", "1", "--no_scores", "--num_epochs", "400"}).status, 0);
}

void limit_file_size(const Child& child, rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  ASSERT_EQ(::prlimit(child.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
}

TEST_F(Reliability, AFullDiskIsToldTriedAgainAndStopsAtTheThirdTime) {
  {
    const Child child(arguments({"--num_epochs", "400", "--no_scores", "--log_every_n_steps", "2"}), folder_.path());
    child.wait_for_line("epoch 1 of 400");
    limit_file_size(child, 1000000);
    const auto outcome = child.outcome();
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot save: cannot write"), HasSubstr("File too large"),
                                   HasSubstr("the checkpoint before is kept, trying again at the next save"),
                                   HasSubstr("saving failed 3 times in a row")));
  }
  const auto step = read_checkpoint(folder_ / "run/checkpoint.pth").progress.step;
  const auto resumed =
      train({"--resume", "--no_scores", "--num_epochs", "400", "--max_steps", std::to_string(step + 1)});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(count_steps(file("metrics.csv")), static_cast<std::size_t>(step) + 1);
}

TEST_F(Reliability, ADiskThatHasRoomAgainIsSavedTo) {
  const Child child(arguments({"--num_epochs", "400", "--no_scores", "--log_every_n_steps", "4"}), folder_.path());
  child.wait_for_line("epoch 1 of 400");
  limit_file_size(child, 1000000);
  for (int i = 0; i < 1200 && slurp(folder_ / "err.txt").find("cannot save") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  limit_file_size(child, RLIM_INFINITY);
  child.send(SIGTERM);
  const auto outcome = child.outcome();
  EXPECT_EQ(outcome.status, 143) << outcome.err;
  const auto checkpoint = read_checkpoint(folder_ / "run/checkpoint.pth");
  EXPECT_EQ(count_steps(file("metrics.csv")), static_cast<std::size_t>(checkpoint.progress.step));
}

TEST_F(Reliability, ADamagedCheckpointIsNamedAndTheOneBeforeItTaken) {
  ASSERT_EQ(train({"--max_steps", "4", "--log_every_n_steps", "2", "--no_scores"}).status, 0);
  auto bytes = file("checkpoint.pth");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::filesystem::remove(folder_ / "run/checkpoint.pth");
  spit(folder_ / "run/checkpoint.pth", bytes);
  const auto outcome = train({"--resume", "--max_steps", "6", "--no_scores"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("run/checkpoint.pth: damaged: the checksum of"),
                                 HasSubstr("going on from the one before it, checkpoint-2.pth")));
  EXPECT_THAT(outcome.out, HasSubstr("at step 2 of 6"));
  EXPECT_EQ(slurp(folder_ / "run/checkpoint.pth.damaged"), bytes);
  EXPECT_EQ(count_steps(file("metrics.csv")), 6U);
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.step, 6);

  // With none that is whole it says how to go on from the weights.
  for (const char* name : {"checkpoint.pth", "checkpoint-4.pth", "checkpoint-2.pth"}) {
    if (std::filesystem::exists(folder_ / "run" / name)) spit(folder_ / "run" / name, "damaged");
  }
  const auto none = train({"--resume", "--no_scores"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, AllOf(HasSubstr("run/checkpoint.pth: not a .pth file"), HasSubstr("nor can"),
                              HasSubstr("--ckpt_path"), HasSubstr("--overwrite")));
}

TEST_F(Reliability, ResumeWithOtherDataOrSettingsIsRefusedAndForced) {
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores"}).status, 0);
  const auto refused = train({"--resume", "-b", "5", "--num_local_views", "2", "--use_siglip", "--alpha", "2", "--seed",
                              "7", "--dataset_name", "shapes"});
  EXPECT_EQ(refused.status, 2);
  for (const char* values :
       {"--batch_size 5: the run in", "was started with --batch_size 4", "--num_local_views 2",
        "was started with --num_local_views 1", "--use_siglip true", "was started with --use_siglip false", "--alpha 2",
        "was started with --alpha 1", "--seed 7", "was started with --seed 42", "--dataset_name shapes",
        "was started with --dataset_name cifar10", "or --force it"}) {
    EXPECT_THAT(refused.err, HasSubstr(values));
  }
  const auto forced = train(
      {"--resume", "--force", "-b", "5", "--num_local_views", "2", "--alpha", "2", "--max_steps", "2", "--no_scores"});
  EXPECT_EQ(forced.status, 0) << forced.err;
  EXPECT_THAT(forced.out, AllOf(HasSubstr("batch_size was 4 and is 5 now"), HasSubstr("alpha was 1 and is 2 now"),
                                HasSubstr("num_local_views was 1 and is 2 now")));

  const auto model = train({"--resume", "--force", "-m", "resnet50", "--proj_out_dim", "32"});
  EXPECT_EQ(model.status, 2);
  EXPECT_THAT(model.err, AllOf(HasSubstr("--encoder_model_name resnet50: the run in"), HasSubstr("--proj_out_dim 32"),
                               Not(HasSubstr("--force"))));
  const auto alone = train({"--force", "--overwrite"});
  EXPECT_EQ(alone.status, 2);
  EXPECT_THAT(alone.err, HasSubstr("--force without --resume"));
}

TEST_F(FolderReliability, ResumeWithAnotherNumberOfImagesIsRefusedAndForced) {
  put("photos", 10);
  ASSERT_EQ(run_folder({"--max_steps", "1", "--no_scores"}).status, 0);
  put("photos", 12);
  const auto refused = run_folder({"--resume", "--max_steps", "2", "--no_scores"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("holds 12 images, the run was started on 10; --force goes on with these"));
  const auto forced = run_folder({"--resume", "--force", "--max_steps", "2", "--no_scores"});
  EXPECT_EQ(forced.status, 0) << forced.err;
  EXPECT_THAT(forced.out, HasSubstr("the data set had 10 images and has 12 now"));
}

TEST_F(Reliability, TellsWhatKeepsAResumedRunFromBitwiseEquality) {
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores"}).status, 0);
  const auto same = train({"--resume", "--max_steps", "2", "--no_scores"});
  EXPECT_THAT(same.out, Not(HasSubstr("differs by rounding")));
  const auto threads = train({"--resume", "--max_steps", "3", "--no_scores", "--num_threads", "2"});
  EXPECT_THAT(threads.out, HasSubstr("the checkpoint was written with compute threads: 1, this is 2: what follows"));
}

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
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.step, 0);
  EXPECT_EQ(train({"--resume", "-lr", "1e-4", "--max_steps", "2", "--no_scores"}).status, 0);
}

}  // namespace
}  // namespace relic
