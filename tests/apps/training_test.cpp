// Whole trainings by the built program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "apps/program.h"
#include "relic/core/text.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::Child;
using testing::count_lines;
using testing::count_steps;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using testing::slurp;
using testing::spit;
using Training = testing::ProgramTest;
using FolderTraining = testing::FolderProgramTest;

TEST_F(Training, EndsWithScoresOfBothEncodersAndAllFiles) {
  const auto outcome = train({"--num_epochs", "1", "--log_every_n_steps", "2"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("20 images of cifar10"), HasSubstr("1.39 (the log of the batch size)"),
                                 HasSubstr("instance top-1"), HasSubstr("untrained"), HasSubstr("nearest neighbours"),
                                 HasSubstr("logistic regression"), Not(HasSubstr("\r")), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(count_steps(file("metrics.csv")), 5U);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("step 5: 2 held-out images"), HasSubstr("spread of features")));
  EXPECT_THAT(file("train.log"), HasSubstr("logistic regression"));
  EXPECT_THAT(file("settings.toml"),
              AllOf(HasSubstr("batch_size = 4"), Not(HasSubstr("resume")), Not(HasSubstr(folder_.path().string()))));
  for (const char* name : {"relic_model.pth", "encoder.pth", "encoder_best.pth", "checkpoint.pth"}) {
    EXPECT_GT(file(name).size(), 1000000U) << name;
  }
  const auto scores = nlohmann::json::parse(file("scores.json"));
  EXPECT_EQ(scores["test_images"], 10);
  // The last row of the table holds the same score.
  const auto table = file("metrics.csv");
  const auto last_row = table.substr(table.rfind("5,1,"));
  EXPECT_THAT(last_row, HasSubstr("," + shortest(scores["logistic_regression"]["top1"].get<double>()) + ","));

  spit(folder_ / "run/probe.json", "{}");
  const auto anew = train({"--max_steps", "1", "--overwrite", "--no_scores"});
  EXPECT_EQ(anew.status, 0) << anew.err;
  EXPECT_EQ(file("metrics.csv").find("\n1,1,,"), std::string::npos);
  for (const char* name : {"encoder_best.pth", "scores.json", "probe.json"}) {
    EXPECT_FALSE(std::filesystem::exists(folder_ / "run" / name)) << name;
  }
}

TEST_F(Training, TakesTheRoomOnItsDiskThatADryRunTells) {
  const std::vector<std::vector<std::string>> with_and_without{{"--eval_every_n_steps", "1"}, {"--no_scores"}};
  for (auto words : with_and_without) {
    words.insert(words.end(), {"--max_steps", "3", "--log_every_n_steps", "1", "--overwrite"});
    ASSERT_EQ(train(words).status, 0);
    words.emplace_back("--dry_run");
    const auto told = train(words).out;
    const auto at = told.find("disk: about ");
    ASSERT_NE(at, std::string::npos) << told;
    double files = 0;
    double saving = 0;
    const char* const line = told.c_str() + at;
    ASSERT_EQ(std::sscanf(line, "disk: about %lf MB in %*s and %lf MB while it saves", &files, &saving), 2) << line;
    double bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "run")) {
      bytes += entry.path().extension() == ".pth" ? static_cast<double>(entry.file_size()) : 0;
    }
    EXPECT_NEAR(files, bytes / 1e6, 0.01 * files);
    EXPECT_NEAR(saving, static_cast<double>(file("checkpoint.pth").size()) / 1e6, 0.01 * saving);
  }
}

TEST_F(Training, IsNotWrittenOverWithoutOverwrite) {
  ASSERT_EQ(train({"--max_steps", "1"}).status, 0);
  const auto before = file("checkpoint.pth");
  const auto refused = train({"--max_steps", "1"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--resume"), HasSubstr("--overwrite")));
  EXPECT_EQ(file("checkpoint.pth"), before);
  EXPECT_EQ(train({"--max_steps", "2", "--overwrite"}).status, 0);
  EXPECT_EQ(count_steps(file("metrics.csv")), 2U);
}

TEST_F(Training, SavesAndReturns143OnSigtermAndResumesWithItsOwnSettings) {
  {
    const Child child(arguments({"--num_epochs", "400", "--gamma", "0.9", "-lr", "1e-4"}), folder_.path());
    child.wait_for_line("epoch 1 of 400");
    child.send(SIGTERM);
    const auto outcome = child.outcome();
    EXPECT_EQ(outcome.status, 143) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("interrupted by SIGTERM: step"));
  }
  const auto steps = count_steps(file("metrics.csv"));
  const auto resumed =
      Child({"--resume", "-save_model_dir", (folder_ / "run").string(), "--max_steps", std::to_string(steps + 2)},
            folder_.path())
          .outcome();
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("resuming"));
  EXPECT_EQ(count_steps(file("metrics.csv")), steps + 2);
  EXPECT_THAT(file("settings.toml"), AllOf(HasSubstr("gamma = 0.9"), HasSubstr("learning_rate = 0.0001")));
}

TEST_F(Training, SigintSavesAndReturns130AndOnesSettingsAreChangedOnResume) {
  {
    const Child child(arguments({"--num_epochs", "400"}), folder_.path());
    child.wait_for_line("epoch 1 of 400");
    child.send(SIGINT);
    EXPECT_EQ(child.outcome().status, 130);
  }
  const auto steps = count_steps(file("metrics.csv"));
  const auto resumed = train({"--resume", "-lr", "1e-5", "--max_steps", std::to_string(steps + 1)});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out,
              AllOf(HasSubstr("learning_rate was 0.0003 and is 1e-5 now"), Not(HasSubstr("num_threads was"))));
  const auto done = train({"--resume", "--max_steps", std::to_string(steps + 1)});
  EXPECT_THAT(done.out, AllOf(HasSubstr("as --max_steps has it; a larger one, or none, goes on"),
                              HasSubstr("its scores are in"), Not(HasSubstr("scoring"))));
}

TEST_F(Training, KilledAtAnyMomentItResumesWithWhatItStartedFrom) {
  ASSERT_EQ(train({"--max_steps", "1"}).status, 0);
  const auto weights = (folder_ / "run/relic_model.pth").string();
  {
    const Child child(arguments({"--num_epochs", "400", "--log_every_n_steps", "1000000", "--save_every_seconds", "1e6",
                                 "--ckpt_path", weights, "--overwrite"}),
                      folder_.path());
    child.wait_for_line("epoch 1 of 400");
    child.send(SIGKILL);
    EXPECT_EQ(child.outcome().status, -1);
  }
  spit(folder_ / "run/.relic-tmp-1-0", "half a file");
  const auto resumed =
      Child({"--resume", "-save_model_dir", (folder_ / "run").string(), "--max_steps", "1"}, folder_.path()).outcome();
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("resuming the run in " + (folder_ / "run").string() + " at step 0 of 1"));
  EXPECT_EQ(count_steps(file("metrics.csv")), 1U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/.relic-tmp-1-0"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/.relic-lock"));
}

TEST_F(Training, TwoProcessesDoNotTrainInOneDirectory) {
  const Child first(arguments({"--num_epochs", "400"}), folder_.path());
  first.wait_for_line("epoch 1 of 400");
  std::filesystem::create_directory(folder_ / "second");
  for (const char* how : {"--resume", "--overwrite"}) {
    const auto second = Child(arguments({how, "--max_steps", "1"}), folder_ / "second").outcome();
    EXPECT_EQ(second.status, 1);
    EXPECT_THAT(second.err, HasSubstr("is in use by process"));
  }
  const auto dry = Child(arguments({"--dry_run"}), folder_ / "second").outcome();
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_THAT(dry.out, AllOf(HasSubstr("warning: " + (folder_ / "run").string() + " is in use by process " +
                                       std::to_string(first.pid()) + " on "),
                             HasSubstr("warning: -save_model_dir " + (folder_ / "run").string() +
                                       ": holds a run already; --resume goes on with it")));
  first.send(SIGTERM);
  EXPECT_EQ(first.outcome().status, 143);
}

TEST_F(Training, WhatCannotBeWrittenCostsNoOlderRun) {
  ASSERT_EQ(train({"--max_steps", "2", "--log_every_n_steps", "1"}).status, 0);
  const auto before = file("checkpoint.pth");
  const auto one_before = file("earlier-checkpoint-1.pth");
  const auto nowhere = train({"--overwrite", "--max_steps", "1", "--log_file", (folder_ / "no/x.log").string()});
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("there is no folder"));
  const auto small = train({"--overwrite", "--max_steps", "1", "--seed", "7"}, [] {
    const rlimit limit{1000000, 1000000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
  EXPECT_EQ(small.status, 1);
  EXPECT_THAT(small.err, HasSubstr("ulimit -f"));
  EXPECT_THAT(file("train.log"), HasSubstr("ulimit -f"));
  EXPECT_EQ(file("checkpoint.pth"), before);
  EXPECT_EQ(file("earlier-checkpoint-1.pth"), one_before);
  EXPECT_THAT(file("settings.toml"), HasSubstr("seed = 42"));
}

TEST_F(Training, ItsLogIsOnlyAddedTo) {
  const auto log = folder_ / "run/train.log";
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores", "--log_file", log.string()}).status, 0);
  const auto before = slurp(log) + "from a process that was killed\n";
  spit(log, before);
  ASSERT_EQ(train({"--resume", "--max_steps", "2", "--no_scores"}).status, 0);
  EXPECT_THAT(slurp(log), AllOf(::testing::StartsWith(before), HasSubstr("resuming the run")));
  // Not by another run in its place.
  ASSERT_EQ(train({"--overwrite", "--max_steps", "1", "--no_scores"}).status, 0);
  EXPECT_THAT(slurp(log), AllOf(Not(HasSubstr("was killed")), HasSubstr("in place of the run here (")));
}

TEST_F(Training, ALogElsewhereIsRememberedAndMayBeOtherRunsToo) {
  const auto log = folder_ / "all.log";
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores", "--log_file", log.string()}).status, 0);
  const auto before = slurp(log) + "from another run\n";
  spit(log, before);
  ASSERT_EQ(train({"--resume", "--max_steps", "2", "--no_scores"}).status, 0);
  EXPECT_THAT(slurp(log), ::testing::StartsWith(before));
  EXPECT_THAT(slurp(log), HasSubstr("resuming"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/train.log"));
}

TEST_F(Training, WithoutStandardDescriptorsNothingIsPrintedIntoItsFiles) {
  const auto outcome = train({"--max_steps", "2", "--log_every_n_steps", "1"}, [] {
    ::close(STDIN_FILENO);
    ::close(STDOUT_FILENO);
    ::close(STDERR_FILENO);
  });
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(count_steps(file("metrics.csv")), 2U);
  EXPECT_THAT(file("metrics.csv"), Not(HasSubstr("instance")));
  const auto log = file("train.log");
  EXPECT_EQ(log.find("step 1: instance"), log.rfind("step 1: instance"));
}

TEST_F(Training, ADataSetThatIsNotThereIsFetched) {
  const auto archive = folder_ / "cifar.tar.gz";
  const std::string tar =
      "tar -czf " + archive.string() + " -C " + (folder_ / "data").string() + " cifar-10-batches-bin";
  ASSERT_EQ(std::system(tar.c_str()), 0);
  std::filesystem::remove_all(folder_ / "data");
  const auto forbidden = train({"--no_download"});
  EXPECT_EQ(forbidden.status, 2);
  EXPECT_THAT(forbidden.err, HasSubstr("a run that has neither --no_download nor --dry_run fetches it"));
  const std::string url = "file://" + archive.string();
  const auto wrong = train({"--dataset_url", url, "--gamma", "2"});
  EXPECT_EQ(wrong.err, "relic_train: --gamma 2: must be a number from 0 to 1\n");
  const auto other = train({"--dataset_url", url, "--dataset_md5", "0123456789abcdef0123456789abcdef"});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("0123456789abcdef0123456789abcdef"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
  const auto outcome = train({"--dataset_url", url, "--max_steps", "1", "--no_scores"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("20 images of cifar10"));
  EXPECT_EQ(train({"--resume", "--max_steps", "2", "--no_download", "--no_scores"}).status, 0);
}

TEST_F(Training, AMissingTestSplitIsFoundBeforeTheTraining) {
  std::filesystem::remove(folder_ / "data/cifar-10-batches-bin/test_batch.bin");
  const auto outcome = train({"--max_steps", "1"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("test_batch.bin"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

#ifndef __SANITIZE_ADDRESS__  // which takes terabytes of addresses itself
TEST_F(Training, MoreMemoryThanThereIsIsOneLine) {
  const auto outcome = train({"--proj_hidden_dim", "1000000", "--proj_out_dim", "1000000"}, [] {
    const rlimit limit{rlim_t{1} << 36U, rlim_t{1} << 36U};  // for machines that promise more than they have
    ::setrlimit(RLIMIT_AS, &limit);
  });
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("out of memory"), HasSubstr("--dry_run"), Not(HasSubstr("enforce"))));
}
#endif

TEST_F(Training, QuietSaysNothingThatIsNoWarning) {
  const auto outcome = train({"--quiet", "--max_steps", "1"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(file("train.log"), HasSubstr("logistic regression"));
}

TEST_F(Training, ResumeStartsAnewWhereThereIsNoRunAndGoesOnOverMoreEpochs) {
  const auto first = train({"--resume", "--num_epochs", "1"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("starting anew"));
  const auto done = train({"--resume"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("this run is finished: 5 of 5 steps are done; a larger --num_epochs goes on"));
  const auto early = train({"--resume", "--num_epochs", "2", "--max_steps", "5", "--no_scores"});
  EXPECT_THAT(early.out, HasSubstr("no step is left: 5 of 10 steps are done, as --max_steps has it"));
  const auto more = train({"--resume", "--num_epochs", "2"});
  EXPECT_EQ(more.status, 0) << more.err;
  EXPECT_THAT(more.out, HasSubstr("num_epochs was 1 and is 2 now"));
  EXPECT_EQ(count_steps(file("metrics.csv")), 10U);
}

TEST_F(Training, ResumeRefusesAnotherModelOrBatch) {
  ASSERT_EQ(train({"--max_steps", "1"}).status, 0);
  const auto outcome = train({"--resume", "-m", "resnet50", "--use_siglip"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--encoder_model_name resnet50"),
                                 HasSubstr("started with --encoder_model_name resnet18"), HasSubstr("--use_siglip")));
  EXPECT_THAT(train({"--resume", "--image_size", "24"}).err,
              HasSubstr("--resume with --image_size 24: the run in " + (folder_ / "run").string() +
                        " was started with --image_size 32; leave the flag out, start anew in another directory"));
}

TEST_F(Training, StartsFromWeightsThatLieInItsOwnDirectory) {
  ASSERT_EQ(train({"--max_steps", "1"}).status, 0);
  const auto weights = (folder_ / "run/relic_model.pth").string();
  const auto wrong =
      train({"--ckpt_path", weights, "--overwrite", "-m", "efficientnet", "--gamma", "2", "--max_steps", "1"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("--ckpt_path " + weights + ": tensors do not fit"), HasSubstr("--gamma 2")));
  EXPECT_GT(file("checkpoint.pth").size(), 0U) << "weights that do not fit must not cost the run";
  const auto outcome = train({"--ckpt_path", weights, "--overwrite", "--max_steps", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("starting from the weights of " + weights));
}

TEST_F(Training, NamesTheWeightsToStartFromWhereAnotherFileIsGiven) {
  ASSERT_EQ(train({"--max_steps", "1", "--no_scores"}).status, 0);
  const auto start_from = [this](const std::string& name) {
    return Child({"--dataset_name", "shapes", "--device", "cpu", "-save_model_dir", (folder_ / "new").string(),
                  "--ckpt_path", (folder_ / name).string()},
                 folder_.path())
        .outcome();
  };
  for (const char* name : {"run/checkpoint.pth", "run/encoder.pth", "run/metrics.csv", "run", "absent.pth"}) {
    const auto refused = start_from(name);
    EXPECT_EQ(refused.status, 2) << name;
    EXPECT_THAT(refused.err, HasSubstr("--ckpt_path " + (folder_ / name).string() + ": ")) << name;
    EXPECT_EQ(count_lines(refused.err), 1U) << refused.err;
  }
  EXPECT_THAT(start_from("run/checkpoint.pth").err,
              HasSubstr("the checkpoint of a run; to start from its weights name " +
                        (folder_ / "run/relic_model.pth").string()));
  EXPECT_THAT(start_from("run/encoder.pth").err,
              AllOf(HasSubstr("not the weights of a whole model (online_encoder, target_encoder)"),
                    HasSubstr("lies the relic_model.pth to name")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
}

TEST_F(Training, StoppedByMaxStepsItSaysSoAndLeavesOutScoresThatAreNotWanted) {
  const auto outcome = train({"--num_epochs", "1", "--max_steps", "2", "--no_scores"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("1 epoch, 5 in all, stopped after 2 by --max_steps"),
                                 HasSubstr("stopped by --max_steps after step 2 of 5"), Not(HasSubstr("scoring"))));
  const auto whole = train({"--resume"});
  EXPECT_THAT(whole.out, AllOf(Not(HasSubstr("--max_steps")), HasSubstr("logistic regression")));
}

TEST_F(Training, ResumeSaysFirstThatThereIsNoRun) {
  const auto run = (folder_ / "run").string();
  const auto outcome =
      Child({"--resume", "-save_model_dir", run, "--dataset_path", folder_.path().string(), "--no_download"},
            folder_.path())
          .outcome();
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, ::testing::StartsWith("relic_train: --resume: there is no run in " + run));
  EXPECT_THAT(outcome.err, HasSubstr("no STL-10 in"));
}

TEST_F(Training, AFolderThatCannotBeMadeIsToldWithTheOtherProblems) {
  spit(folder_ / "run", "a file");
  const auto outcome = train({"--gamma", "2"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("run: not a folder"), HasSubstr("--gamma 2")));
}

TEST_F(FolderTraining, ImagesWithoutLabelsAreLearntFromAndBadOnesListed) {
  put("", 9);
  spit(folder_ / "images/empty.jpg", "");
  const auto outcome = run_folder({"--num_epochs", "2"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("10 images of folder"), HasSubstr("2 global 24x24"),
                                 HasSubstr("no labels and no scores"), Not(HasSubstr("scoring"))));
  EXPECT_THAT(outcome.err, HasSubstr("empty.jpg"));
  EXPECT_EQ(count_lines(outcome.err), 1U) << outcome.err;
  EXPECT_THAT(file("bad_images.txt"), HasSubstr((folder_ / "images/empty.jpg").string() + ": "));
  const auto none = run_folder({"--num_epochs", "2", "--max_bad_images", "0", "--overwrite"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("more images than --max_bad_images 0 cannot be read"));
}

TEST_F(FolderTraining, ClassFoldersGiveScores) {
  put("train/cat", 8);
  put("train/dog", 8);
  put("test/cat", 3);
  put("test/dog", 2);
  spit(folder_ / "images/test/dog/text.png", "no image");
  const auto outcome = run_folder({"--max_steps", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("2 classes, the folders cat to dog"),
                                 HasSubstr("on 5 test images of folder"), HasSubstr("chance 50.0 %")));
  EXPECT_THAT(file("bad_images.txt"), HasSubstr("text.png"));
  EXPECT_THAT(file("settings.toml"), AllOf(HasSubstr("image_size = 24"), HasSubstr("dataset_name = 'folder'")));
  std::filesystem::remove(folder_ / "images/train/cat/0.bmp");
  EXPECT_THAT(run_folder({"--resume"}).err, HasSubstr("holds 15 images, the run was started on 16"));
}

TEST_F(Training, WeightsAloneCannotBeResumed) {
  ASSERT_EQ(train({"--max_steps", "1", "--keep_checkpoints", "1"}).status, 0);
  std::filesystem::remove(folder_ / "run/checkpoint.pth");
  const auto outcome = train({"--resume"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--ckpt_path"));
  EXPECT_GT(file("relic_model.pth").size(), 0U);
}

TEST_F(Training, ReportsProblemsOfSettingsMachineAndDataTogether) {
  const auto outcome = train({"-b", "64", "--gamma", "2", "--precision", "fp16"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--batch_size 64: larger than the data set (20 images)"),
                                 HasSubstr("--gamma 2"), HasSubstr("--precision fp16")));
  const auto more = train({"--gama", "1", "-b", "x", "stray", "--max_images", "2", "--alpha", "-1"});
  EXPECT_EQ(more.status, 2);
  const auto few = train({"-b", "8", "--max_images", "4"});
  EXPECT_EQ(few.err, "relic_train: --max_images 4: fewer than --batch_size, 8; give more, or a smaller batch\n");
  EXPECT_THAT(more.err, AllOf(HasSubstr("unknown option --gama"), HasSubstr("--batch_size x"), HasSubstr("'stray'"),
                              HasSubstr("--alpha -1"), Not(HasSubstr("--max_images")), Not(HasSubstr("larger than"))));
}

TEST_F(Training, DryRunPrintsThePlanAndWritesNothing) {
  const auto outcome = train({"--dry_run"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("batch_size = 4"), HasSubstr("5 per epoch"), HasSubstr("memory: about")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Training, ItsSettingsFileRepeatsItsNumbers) {
  ASSERT_EQ(train({"--max_steps", "2", "--gamma", "0.9", "--use_siglip"}).status, 0);
  const auto settings = (folder_ / "run/settings.toml").string();
  const auto again = Child({"--config", settings, "--dataset_path", (folder_ / "data").string(), "-save_model_dir",
                            (folder_ / "again").string(), "--max_steps", "2"},
                           folder_.path())
                         .outcome();
  EXPECT_EQ(again.status, 0) << again.err;
  const auto losses = [](const std::string& table) {
    std::istringstream lines(table);
    std::string text;
    for (std::string line; std::getline(lines, line);) text += line.substr(0, line.rfind(',')) + "\n";
    return text;
  };
  EXPECT_EQ(losses(slurp(folder_ / "again/metrics.csv")), losses(file("metrics.csv")));
}

}  // namespace
}  // namespace relic
