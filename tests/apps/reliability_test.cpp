// Trainings that are warned, kept from writing, and resumed.
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
                              HasSubstr("; --config " + (folder_ / "run/settings.toml").string() + " --ckpt_path " +
                                        (folder_ / "run/relic_model.pth").string() +
                                        " --overwrite starts a new run from the weights of its last save")));
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
  EXPECT_THAT(forced.out,
              AllOf(HasSubstr("batch_size was 4 and is 5 now"), HasSubstr("alpha was 1 and is 2 now"),
                    HasSubstr("num_local_views was 1 and is 2 now"), HasSubstr("an epoch had 5 steps and has 4 now")));
  const auto stem = train({"--resume", "--force", "-b", "5", "--num_local_views", "2", "--alpha", "2", "--stem",
                           "imagenet", "--max_steps", "2", "--no_scores"});
  EXPECT_EQ(stem.status, 2);
  EXPECT_THAT(stem.err, HasSubstr("has the stem cifar; use --stem cifar"));

  const auto same = train({"--resume", "--force", "-b", "5", "--num_local_views", "2", "--alpha", "2", "--stem",
                           "cifar", "--max_steps", "2", "--no_scores"});
  EXPECT_EQ(same.status, 0) << same.err;
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

TEST_F(FolderReliability, ResumeWithAsManyOtherImagesIsRefusedAndForced) {
  put("photos", 10);
  ASSERT_EQ(run_folder({"--max_steps", "1", "--no_scores"}).status, 0);
  std::filesystem::rename(folder_ / "images", folder_ / "elsewhere");
  const auto lost = run_recorded({"--resume"});
  EXPECT_EQ(lost.status, 2);
  EXPECT_THAT(lost.err, HasSubstr("the run was started there: --dataset_path names where the data set is now"));
  const std::string elsewhere = (folder_ / "elsewhere").string();
  const auto moved = run_folder({"--resume", "--max_steps", "2", "--no_scores", "--dataset_path", elsewhere});
  EXPECT_EQ(moved.status, 0) << moved.err;

  std::filesystem::rename(folder_ / "elsewhere/photos/9.bmp", folder_ / "elsewhere/photos/91.bmp");
  const auto before = file("train.log");
  const auto refused = run_folder({"--resume", "--max_steps", "3", "--no_scores", "--dataset_path", elsewhere});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--resume: the images in " + elsewhere +
                                     " are not those that the run was started on: as many, but of other names, "
                                     "classes or contents; --force goes on with these"));
  EXPECT_EQ(file("train.log"), before);
  const auto forced =
      run_folder({"--resume", "--force", "--max_steps", "3", "--no_scores", "--dataset_path", elsewhere});
  EXPECT_EQ(forced.status, 0) << forced.err;
  EXPECT_THAT(forced.out, HasSubstr("are not those that the run was started on"));
  // From then on these are the run's.
  const auto again = run_folder({"--resume", "--max_steps", "4", "--no_scores", "--dataset_path", elsewhere});
  EXPECT_EQ(again.status, 0) << again.err;
}

TEST_F(Reliability, ResumeWhereThereIsNoRunSaysSo) {
  const auto dry = train({"--resume", "--dry_run"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("nothing to resume in " + (folder_ / "run").string() + ": starting anew"));
  const auto wrong = train({"--resume", "-b", "100"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--resume: there is no run in " + (folder_ / "run").string() +
                                   " to go on with, and a new one cannot be started:"));
}

TEST_F(Reliability, ResumeGoesOnWithItsOwnWeightsAndSaysSo) {
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores"}).status, 0);
  const auto outcome =
      train({"--resume", "--max_steps", "2", "--no_scores", "--ckpt_path", (folder_ / "run/relic_model.pth").string()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("--ckpt_path is for new runs: this one goes on with its own weights"));
}

TEST_F(Reliability, NothingIsFetchedForAResumeThatIsRefused) {
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores"}).status, 0);
  const auto refused = run_recorded({"--resume", "--dataset_name", "stl10", "--dataset_path",
                                     (folder_ / "none").string(), "--dataset_url", "http://127.0.0.1:9/"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("was started with --dataset_name cifar10"), Not(HasSubstr("download"))));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
}

TEST_F(Reliability, ATableThatIsGoneIsTold) {
  ASSERT_EQ(train({"--max_steps", "2", "--no_scores"}).status, 0);
  std::filesystem::remove(folder_ / "run/metrics.csv");
  const auto outcome = train({"--resume", "--max_steps", "3", "--no_scores"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("run/metrics.csv is missing or cut short: it lacks rows of steps up to 2"));
  EXPECT_EQ(count_steps(file("metrics.csv")), 1U);
}

TEST_F(Reliability, ADryRunTellsWhatAResumeWouldGoOnWith) {
  ASSERT_EQ(train({"--max_steps", "2", "--no_scores"}).status, 0);
  const auto before = file("train.log");
  const auto outcome = train({"--resume", "--dry_run", "-lr", "0.01", "--max_steps", "4"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("resuming the run in " + (folder_ / "run").string() + " at step 2 of 4"),
                                 HasSubstr("learning_rate was 0.0003 and is 0.01 now")));
  EXPECT_EQ(file("train.log"), before);
  auto batch = slurp(folder_ / "data/cifar-10-batches-bin/data_batch_1.bin");
  batch[100] = static_cast<char>(batch[100] ^ 1);
  spit(folder_ / "data/cifar-10-batches-bin/data_batch_1.bin", batch);
  const auto refused = train({"--resume", "--dry_run"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("are not those that the run was started on: as many, but of other"));
}

TEST_F(Reliability, AFullLogDiskHidesNotWhatEndedTheTraining) {
  const auto outcome = train({"--max_steps", "4", "--no_scores", "-lr", "1e39", "--log_file", "/dev/full"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("relic_train: step 2: the loss is not finite"), HasSubstr("not_finite.txt"),
                                 HasSubstr("warning: cannot write /dev/full")));
}

TEST_F(Reliability, ABestEncoderThatOtherImagesChoseIsSetAside) {
  ASSERT_EQ(train({"--max_steps", "1"}).status, 0);
  const auto best = file("encoder_best.pth");
  ASSERT_EQ(train({"--resume", "--force", "--seed", "7", "--max_steps", "2"}).status, 0);
  EXPECT_EQ(file("encoder_best.pth.later"), best);
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.best_step, 2);
  EXPECT_NE(file("encoder_best.pth"), best);
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

TEST_F(Reliability, TellsWhatKeepsAResumedRunFromBitwiseEquality) {
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores"}).status, 0);
  const auto same = train({"--resume", "--max_steps", "2", "--no_scores"});
  EXPECT_THAT(same.out, Not(HasSubstr("differs by rounding")));
  const auto threads = train({"--resume", "--max_steps", "3", "--no_scores", "--num_threads", "2"});
  EXPECT_THAT(
      threads.out,
      HasSubstr("the checkpoint was written with 1 compute thread, this is with 2 compute threads: what follows"));
  const RunDirectory run(folder_ / "run");
  auto checkpoint = read_checkpoint(run.checkpoint());
  checkpoint.origin.machine = "another machine";
  checkpoint.origin.build = "another build";
  write_checkpoint(checkpoint, run);
  const auto elsewhere = train({"--resume", "--max_steps", "4", "--no_scores"});
  EXPECT_THAT(elsewhere.out, AllOf(HasSubstr("the checkpoint was written on another machine, this is "),
                                   HasSubstr("the checkpoint was written by another build, this is relic_train")));
}

TEST_F(Reliability, DetectAnomalyAndDeterministicTrain) {
  const auto outcome = train({"--max_steps", "2", "--no_scores", "--detect_anomaly", "--deterministic"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto conflict = train({"--overwrite", "--detect_anomaly", "--cuda_graph", "on"});
  EXPECT_EQ(conflict.status, 2);
  EXPECT_THAT(conflict.err, HasSubstr("--detect_anomaly with --cuda_graph on"));
}

TEST_F(Reliability, AModelThatCannotBeWrittenIsNoFailedSave) {
  const Child child(arguments({"--num_epochs", "400", "--no_scores", "--log_every_n_steps", "2"}), folder_.path());
  child.wait_for_line("epoch 1 of 400");
  std::filesystem::remove(folder_ / "run/relic_model.pth");
  std::filesystem::create_directories(folder_ / "run/relic_model.pth/in the way");
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
