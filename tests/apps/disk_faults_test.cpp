// Files that cannot be written, are damaged or gone, under a training.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "apps/program.h"
#include "relic/run/checkpoint.h"
#include "relic/run/run_directory.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using testing::Child;
using testing::count_lines;
using testing::count_steps;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::obey_permissions;
using testing::slurp;
using testing::spit;
using Reliability = testing::ProgramTest;

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
  EXPECT_THAT(outcome.err, HasSubstr("trying again at the next save"));
  const auto checkpoint = read_checkpoint(folder_ / "run/checkpoint.pth");
  EXPECT_EQ(count_steps(file("metrics.csv")), static_cast<std::size_t>(checkpoint.progress.step));
}

TEST_F(Reliability, AFolderThatBecomesReadOnlyIsToldAndStopsAtTheThirdTime) {
  const auto run = folder_ / "run";
  const std::vector<std::string> settings{"--num_epochs", "400", "--no_scores", "--log_every_n_steps", "2"};
  {
    const Child child(arguments(settings), folder_.path(), obey_permissions);
    child.wait_for_line("epoch 1 of 400");
    std::filesystem::permissions(run, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    const auto outcome = child.outcome();
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot save: cannot "), HasSubstr(run.string()),
                                   HasSubstr("Permission denied; the checkpoint before is kept"),
                                   HasSubstr("saving failed 3 times in a row")));
  }
  const auto step = read_checkpoint(run / "checkpoint.pth").progress.step;
  auto rest = arguments({"--resume", "--no_scores", "--max_steps", std::to_string(step + 1)});
  const auto refused = Child(rest, folder_.path(), obey_permissions).outcome();
  EXPECT_THAT(refused.status, AnyOf(1, 2));
  EXPECT_THAT(refused.err, AllOf(HasSubstr(run.string()), HasSubstr("Permission denied")));
  EXPECT_EQ(count_lines(refused.err), 1U) << refused.err;
  std::filesystem::permissions(run, std::filesystem::perms::owner_all);
  const auto resumed = Child(rest, folder_.path(), obey_permissions).outcome();
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(count_steps(file("metrics.csv")), static_cast<std::size_t>(step) + 1);
}

TEST_F(Reliability, AFolderThatCannotBeMadeIsOneLine) {
  std::filesystem::create_directories(folder_ / "locked");
  std::filesystem::permissions(folder_ / "locked", std::filesystem::perms::owner_read);
  auto words = arguments({"--max_steps", "1"});
  words.insert(words.end(), {"-save_model_dir", (folder_ / "locked/run").string()});
  const auto outcome = Child(words, folder_.path(), obey_permissions).outcome();
  std::filesystem::permissions(folder_ / "locked", std::filesystem::perms::owner_all);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("locked/run: cannot be written to, for " + (folder_ / "locked").string() +
                                     ": Permission denied; name another folder"));
  EXPECT_EQ(count_lines(outcome.err), 1U) << outcome.err;
  const auto dry = train({"--dry_run", "-save_model_dir", "/dev/null/run"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("warning: -save_model_dir /dev/null/run: cannot be written to, for /dev/null: "));
}

TEST_F(Reliability, AModelThatCannotBeWrittenIsNoFailedSave) {
  const Child child(arguments({"--num_epochs", "400", "--no_scores", "--log_every_n_steps", "2"}), folder_.path());
  child.wait_for_line("epoch 1 of 400");
  for (std::error_code error = std::make_error_code(std::errc::file_exists); error;) {  // a save may come in between
    std::filesystem::remove(folder_ / "run/relic_model.pth", error);
    std::filesystem::create_directories(folder_ / "run/relic_model.pth/in the way", error);
  }
  child.wait_for_line("epoch 4 of 400");  // more than three saves later
  child.send(SIGTERM);
  const auto outcome = child.outcome();
  EXPECT_EQ(outcome.status, 143);  // to be queued again: all that this takes is there
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("warning: the checkpoint is saved, but cannot replace"),
                                 HasSubstr("relic_model.pth"), HasSubstr("the next save or --resume tries again")));
  const auto step = read_checkpoint(folder_ / "run/checkpoint.pth").progress.step + 1;
  EXPECT_GE(step, 20);
  const auto still = train({"--resume", "--num_epochs", "400", "--max_steps", std::to_string(step), "--no_scores"});
  EXPECT_EQ(still.status, 1);
  EXPECT_THAT(still.err, AllOf(HasSubstr("relic_train: the checkpoint is saved, but cannot replace"),
                               HasSubstr("relic_model.pth: Is a directory; --resume tries again")));
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.step, step);
  std::filesystem::remove_all(folder_ / "run/relic_model.pth");
  // Finished or not.
  EXPECT_EQ(train({"--resume", "--num_epochs", "400", "--max_steps", std::to_string(step), "--no_scores"}).status, 0);
  EXPECT_GT(file("relic_model.pth").size(), 1000000U);
}

TEST_F(Reliability, AFullLogDiskHidesNotWhatEndedTheTraining) {
  const auto outcome = train({"--max_steps", "4", "--no_scores", "-lr", "1e39", "--log_file", "/dev/full"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("relic_train: step 2: the loss is not finite"), HasSubstr("not_finite.txt"),
                                 HasSubstr("warning: cannot write /dev/full")));
}

TEST_F(Reliability, ALogWhoseFolderIsGoneIsToldWithTheWayOn) {
  std::filesystem::create_directory(folder_ / "logs");
  const auto log = folder_ / "logs/a.log";
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores", "--log_file", log.string()}).status, 0);
  std::filesystem::remove_all(folder_ / "logs");
  const auto refused = train({"--resume", "--max_steps", "2"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err,
              HasSubstr("--log_file " + log.string() + ": there is no folder " + (folder_ / "logs").string() +
                        "; the run logs there: --log_file names another file, '' its own train.log"));
  EXPECT_EQ(train({"--resume", "--max_steps", "2", "--no_scores", "--log_file", ""}).status, 0);
  EXPECT_THAT(file("train.log"), HasSubstr("at step 1 of 2"));
}

TEST_F(Reliability, ATableThatIsGoneIsTold) {
  ASSERT_EQ(train({"--max_steps", "2", "--no_scores"}).status, 0);
  std::filesystem::remove(folder_ / "run/metrics.csv");
  const auto outcome = train({"--resume", "--max_steps", "3", "--no_scores"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("run/metrics.csv is missing or cut short: it lacks rows of steps up to 2"));
  EXPECT_EQ(count_steps(file("metrics.csv")), 1U);
}

TEST_F(Reliability, ADamagedCheckpointIsNamedAndTheOneBeforeItTaken) {
  ASSERT_EQ(train({"--max_steps", "4", "--log_every_n_steps", "2", "--no_scores"}).status, 0);
  const auto encoder = file("encoder.pth");
  auto bytes = file("checkpoint.pth");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::filesystem::remove(folder_ / "run/checkpoint.pth");
  spit(folder_ / "run/checkpoint.pth", bytes);
  const auto outcome = train({"--resume", "--max_steps", "6", "--no_scores"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("run/checkpoint.pth: damaged: the checksum of"),
                                 HasSubstr("going on from step 2, that of earlier-checkpoint-2.pth")));
  EXPECT_EQ(slurp(folder_ / "run/encoder.pth.later"), encoder);
  EXPECT_EQ(count_steps(slurp(folder_ / "run/metrics.csv.later")), 4U);
  EXPECT_THAT(file("train.log"), HasSubstr("stopped by --max_steps after step 4"));  // it is only added to
  EXPECT_THAT(outcome.out, HasSubstr("at step 2 of 6"));
  EXPECT_EQ(slurp(folder_ / "run/checkpoint.pth.damaged"), bytes);
  EXPECT_EQ(count_steps(file("metrics.csv")), 6U);
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.step, 6);

  // With none that is whole it says how to go on from the weights.
  for (const char* name : {"checkpoint.pth", "earlier-checkpoint-4.pth", "earlier-checkpoint-2.pth"}) {
    if (std::filesystem::exists(folder_ / "run" / name)) spit(folder_ / "run" / name, "damaged");
  }
  const auto none = train({"--resume", "--no_scores"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, AllOf(HasSubstr("run/checkpoint.pth: not a .pth file"), HasSubstr("run/earlier-checkpoint-"),
                              HasSubstr("; -save_model_dir " + (folder_ / "run").string() + " --config " +
                                        (folder_ / "run/settings.toml").string() + " --ckpt_path " +
                                        (folder_ / "run/relic_model.pth").string() +
                                        " --overwrite starts a new run from the weights of its last save")));
}

// CUDA's libraries alone, or a sanitizer, take more than is granted here.
#if !RELIC_WITH_CUDA && !defined(__SANITIZE_ADDRESS__)
TEST_F(Reliability, MemoryThatIsShortIsNotTakenForADamagedCheckpoint) {
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores"}).status, 0);
  const auto outcome = train({"--resume", "--max_steps", "2", "--no_scores"}, [] {
    const rlimit limit{rlim_t{600} << 20U, rlim_t{600} << 20U};
    ::setrlimit(RLIMIT_AS, &limit);
  });
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("memory"), Not(HasSubstr("--overwrite"))));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/checkpoint.pth.damaged"));
}
#endif

TEST_F(Reliability, AnOlderRunsKeptCheckpointsGoWithIt) {
  ASSERT_EQ(train({"--max_steps", "4", "--log_every_n_steps", "2", "--no_scores"}).status, 0);
  ASSERT_EQ(train({"--max_steps", "1", "--overwrite", "--no_scores"}).status, 0);
  EXPECT_THAT(RunDirectory(folder_ / "run").kept_steps(), ::testing::ElementsAre(0));
  // Gone back to by hand, the way that was gone before is left.
  ASSERT_EQ(train({"--resume", "--max_steps", "4", "--log_every_n_steps", "1", "--no_scores"}).status, 0);
  std::filesystem::rename(folder_ / "run/checkpoint.pth", folder_ / "run/earlier-checkpoint-9.pth");
  std::filesystem::rename(folder_ / "run/earlier-checkpoint-3.pth", folder_ / "run/checkpoint.pth");
  ASSERT_EQ(train({"--resume", "--max_steps", "4", "--no_scores"}).status, 0);
  EXPECT_THAT(RunDirectory(folder_ / "run").kept_steps(), ::testing::ElementsAre(3));
}

}  // namespace
}  // namespace relic
