// What --resume checks, and what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "apps/program.h"
#include "relic/run/checkpoint.h"
#include "relic/run/run_directory.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::slurp;
using testing::spit;
using Reliability = testing::ProgramTest;
using FolderReliability = testing::FolderProgramTest;

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

TEST_F(Reliability, ABestEncoderThatOtherImagesChoseIsSetAside) {
  ASSERT_EQ(train({"--max_steps", "1"}).status, 0);
  const auto best = file("encoder_best.pth");
  ASSERT_EQ(train({"--resume", "--force", "--seed", "7", "--max_steps", "2"}).status, 0);
  EXPECT_EQ(file("encoder_best.pth.later"), best);
  EXPECT_EQ(read_checkpoint(folder_ / "run/checkpoint.pth").progress.best_step, 2);
  EXPECT_NE(file("encoder_best.pth"), best);
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

}  // namespace
}  // namespace relic
