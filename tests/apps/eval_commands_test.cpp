// relic_train probe and relic_train embed, on a run of one step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/program.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::Child;
using testing::count_lines;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using testing::slurp;

class EvalCommands : public testing::FolderProgramTest {
 protected:
  /// Of the small CIFAR-10.
  void train_one_step() { ASSERT_EQ(train({"--max_steps", "1", "--no_scores"}).status, 0); }
  Outcome run(const std::string& command, std::vector<std::string> more) {
    std::vector<std::string> all{command, "--device", "cpu", "--num_threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return Child(all, folder_.path()).outcome();
  }
  std::string at(const std::string& name) { return (folder_ / name).string(); }
};

TEST_F(EvalCommands, ProbeScoresARunOnTheImagesOfItsSettings) {
  train_one_step();
  const auto outcome =
      run("probe", {"--encoder", at("run"), "--dataset_path", at("data"), "--weights", at("head.pth")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("resnet18 (CIFAR stem) of " + at("run/encoder.pth")),
                                 HasSubstr("10 test images of cifar10, after 20 training images (chance 10.0 %)"),
                                 HasSubstr("logistic regression"), HasSubstr("each class")));
  const auto report = nlohmann::json::parse(slurp(folder_ / "run/probe.json"));
  EXPECT_EQ(report["dataset"], "cifar10");
  EXPECT_EQ(report["train_images"], 20);
  EXPECT_EQ(report["image_size"], 32);
  EXPECT_EQ(report["classes"].size(), 10U);
  const auto& linear = report["logistic_regression"];
  double right = 0;
  double all = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    right += linear["confusion"][i][i].get<double>();
    for (const auto& count : linear["confusion"][i]) all += count.get<double>();
  }
  EXPECT_EQ(all, 10);
  EXPECT_DOUBLE_EQ(linear["top1"].get<double>(), right / 10);
  EXPECT_TRUE(linear["converged"].get<bool>());
  EXPECT_GT(slurp(folder_ / "head.pth").size(), 512U * 10 * 4);
}

TEST_F(EvalCommands, ProbeTakesAWeightsFileOfEitherKind) {
  train_one_step();
  std::vector<std::string> reports;
  for (const char* name : {"run/encoder.pth", "run/relic_model.pth"}) {
    const auto outcome = run("probe", {"--encoder", at(name), "--dataset_name", "cifar10", "--dataset_path", at("data"),
                                       "--report", at("report.json"), "--standardize", "--C", "0.1", "--k", "3"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    auto report = nlohmann::json::parse(slurp(folder_ / "report.json"));
    EXPECT_EQ(report["logistic_regression"].erase("seconds"), 1U);
    EXPECT_EQ(report["logistic_regression"]["C"], 0.1);
    EXPECT_EQ(report["logistic_regression"]["standardize"], true);
    EXPECT_EQ(report["nearest_neighbours"]["k"], 3);
    reports.push_back(report["logistic_regression"].dump());
  }
  EXPECT_EQ(reports[0], reports[1]);
}

TEST_F(EvalCommands, ProbeReportsAllProblemsAtOnce) {
  const auto outcome = run("probe", {"--encoder", at("absent.pth"), "--C", "0", "--max_iter", "many", "--gamma", "1"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("unknown option --gamma"), HasSubstr("--max_iter many: must be an integer"),
                                 HasSubstr("--encoder " + at("absent.pth")), HasSubstr("--dataset_name: must be given"),
                                 HasSubstr("--C 0: must be a number above 0")));
  EXPECT_EQ(count_lines(outcome.err), 5U);
  EXPECT_THAT(run("probe", {}).err, HasSubstr("--encoder '': must be a run's folder or a .pth file"));
  // What may be a run's folder needs no --dataset_name, once it is there.
  EXPECT_EQ(count_lines(run("probe", {"--encoder", at("absent")}).err), 1U);
}

TEST_F(EvalCommands, TakeTheRunsImageSizeAndFolder) {
  train_one_step();
  put("cat", 12);
  put("dog", 12);
  const auto other = run("probe", {"--encoder", at("run"), "--dataset_name", "folder", "--dataset_path", at("images")});
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_EQ(nlohmann::json::parse(slurp(folder_ / "run/probe.json"))["image_size"], 32);
  // So does a file in its folder, whose report bears its name.
  const auto file = run("probe", {"--encoder", at("run/encoder.pth")});
  EXPECT_EQ(file.status, 0) << file.err;
  EXPECT_THAT(file.out, HasSubstr("images of cifar10 at 32x32"));
  EXPECT_EQ(nlohmann::json::parse(slurp(folder_ / "run/encoder.probe.json"))["dataset"], "cifar10");
  const auto own = run("embed", {"--encoder", at("run"), "--split", "test", "--out", at("f.npy")});
  EXPECT_EQ(own.status, 0) << own.err;
  EXPECT_THAT(own.out, HasSubstr("saved 10 features"));
}

TEST_F(EvalCommands, FeaturesThatCannotBeWrittenLeaveTheOlderFilesAsTheyWere) {
  train_one_step();
  const std::vector<std::string> test_images{"--encoder", at("run"), "--out", at("f.npy"), "--split", "test"};
  ASSERT_EQ(run("embed", test_images).status, 0);
  const auto labels = slurp(at("f.labels.npy"));
  const auto names = slurp(at("f.names.txt"));
  const auto training = Child({"embed", "--device", "cpu", "--num_threads", "1", "--encoder", at("run"), "--out",
                               at("f.npy"), "--split", "train"},
                              folder_.path(),
                              [] {
                                const rlimit limit{10000, 10000};
                                ::setrlimit(RLIMIT_FSIZE, &limit);
                              })
                            .outcome();
  EXPECT_EQ(training.status, 1);
  EXPECT_THAT(training.err, HasSubstr("f.npy: File too large"));
  EXPECT_EQ(slurp(at("f.labels.npy")), labels);
  EXPECT_EQ(slurp(at("f.names.txt")), names);
}

TEST_F(EvalCommands, WhatCannotBeWrittenIsToldBeforeTheWork) {
  train_one_step();
  const auto probe = run("probe", {"--encoder", at("run"), "--report", at("no/x.json"), "--weights", at("run")});
  EXPECT_EQ(probe.status, 2);
  EXPECT_THAT(probe.err, AllOf(HasSubstr("--report " + at("no/x.json") + ": there is no folder"),
                               HasSubstr("--weights " + at("run") + ": is a folder")));
  const auto embed = run("embed", {"--encoder", at("run"), "--out", at("names.txt")});
  EXPECT_EQ(embed.status, 2);
  EXPECT_THAT(embed.err, HasSubstr("names.txt: must end in .npy"));
  const auto cut = run("embed", {"--encoder", at("run"), "--out", at("f.npy"), "--split", "test", "--max_images", "9"});
  EXPECT_EQ(
      cut.err,
      "relic_train: --max_images with --split test: it limits training images, and the test split is always whole\n");
  std::filesystem::create_directory(folder_ / "locked");
  std::filesystem::permissions(folder_ / "locked", std::filesystem::perms::owner_read);
  const auto locked = Child({"probe", "--device", "cpu", "--encoder", at("run"), "--report", at("locked/x.json")},
                            folder_.path(), testing::obey_permissions)
                          .outcome();
  std::filesystem::permissions(folder_ / "locked", std::filesystem::perms::owner_all);
  EXPECT_EQ(locked.status, 2);
  EXPECT_THAT(locked.err, HasSubstr("--report " + at("locked/x.json") + ": cannot be written: Permission denied"));
}

TEST_F(EvalCommands, WhatIsNoEncoderIsToldWithWhatToName) {
  train_one_step();
  std::filesystem::create_directory(folder_ / "empty");
  EXPECT_THAT(run("probe", {"--encoder", at("empty")}).err,
              HasSubstr("no run's folder (there is no settings.toml in it)"));
  EXPECT_THAT(run("probe", {"--encoder", at("run/checkpoint.pth")}).err,
              HasSubstr("a run's checkpoint; name its folder, or the encoder.pth in it"));
}

TEST_F(EvalCommands, ProbeNeedsLabels) {
  train_one_step();
  put("", 4);
  const auto outcome =
      run("probe", {"--encoder", at("run"), "--dataset_name", "folder", "--dataset_path", at("images")});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--dataset_path " + at("images") +
                                     ": its images have no labels, without which nothing can be scored"));
}

TEST_F(EvalCommands, EmbedWritesFeaturesLabelsAndNames) {
  train_one_step();
  put("train/cat", 3);
  put("train/dog", 2);
  put("test/dog", 1);
  testing::spit(folder_ / "images/train/cat/bad.png", "no image");
  const auto outcome = run("embed", {"--encoder", at("run"), "--dataset_name", "folder", "--dataset_path", at("images"),
                                     "--out", at("features.npy")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("saved 5 features of 512 dimensions"));
  EXPECT_THAT(outcome.err, HasSubstr("bad.png"));
  EXPECT_EQ(slurp(folder_ / "features.names.txt"), "cat/0.bmp\ncat/1.bmp\ncat/2.bmp\ndog/0.bmp\ndog/1.bmp\n");
  const auto labels = slurp(folder_ / "features.labels.npy");
  ASSERT_EQ(labels.size(), 128U + 5 * 8);
  std::vector<std::int64_t> values(5);
  std::memcpy(values.data(), labels.data() + 128, 40);
  EXPECT_EQ(values, (std::vector<std::int64_t>{0, 0, 0, 1, 1}));
  EXPECT_EQ(slurp(folder_ / "features.npy").size(), 128U + 5 * 512 * 4);
}

TEST_F(EvalCommands, HelpOfEachCommandIsItsOwn) {
  const auto probe = run("probe", {"--help"});
  EXPECT_EQ(probe.status, 0);
  EXPECT_THAT(probe.out,
              AllOf(HasSubstr("Usage: relic_train probe"), HasSubstr("--standardize"), Not(HasSubstr("--gamma"))));
  EXPECT_THAT(run("embed", {"-h"}).out, AllOf(HasSubstr("Usage: relic_train embed"), HasSubstr("--split")));
  // Prefixes are resolved among the command's own options.
  EXPECT_THAT(run("probe", {"--enc", "x", "--stand", "--dataset_n", "nope"}).err,
              AllOf(HasSubstr("--dataset_name nope"), Not(HasSubstr("ambiguous")), Not(HasSubstr("unknown"))));
}

}  // namespace
}  // namespace relic
