// What a process may find around it: locale, odd paths, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/program.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::Child;
using ::testing::ContainsRegex;
using testing::count_steps;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::slurp;
using Surroundings = testing::ProgramTest;
using FolderSurroundings = testing::FolderProgramTest;

TEST_F(Surroundings, ALocaleWithDecimalCommasChangesNoNumber) {
  // Few machines have such a locale, so it is made here; `locale` shows that a process gets it.
  const std::filesystem::path source = "/usr/share/i18n/locales/de_DE";
  const auto locales = folder_ / "locales";
  std::filesystem::create_directory(locales);
  const auto run = [&](const std::vector<std::string>& words) {  // 127: there is no such program
    return Child(words, folder_.path(), nullptr, "/usr/bin/env").outcome();
  };
  const auto in_german = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"LOCPATH=" + locales.string(), "LC_ALL=de_DE.UTF-8"});
    return run(words);
  };
  const auto made = run({"localedef", "-i", "de_DE", "-f", "UTF-8", (locales / "de_DE.UTF-8").string()});
  if (made.status == 127) GTEST_SKIP() << "localedef is missing";
  if (!std::filesystem::exists(source)) GTEST_SKIP() << "localedef's source " << source << " is missing";
  const auto point = in_german({"locale", "decimal_point"});
  if (point.status == 127) GTEST_SKIP() << "the tool locale is missing, which shows whether a locale loads";
  ASSERT_EQ(point.out, ",\n") << made.err << point.err;

  const std::vector<std::string> settings{"--max_steps", "1", "--no_scores", "-lr", "3e-4", "--gamma", "0.99"};
  auto words = arguments(settings);
  words.insert(words.begin(), RELIC_TRAIN_PROGRAM);
  const auto outcome = in_german(words);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("1.39 (the log of the batch size)"), Not(ContainsRegex("[0-9],[0-9]"))));
  EXPECT_THAT(file("settings.toml"), AllOf(HasSubstr("learning_rate = 0.0003"), HasSubstr("gamma = 0.99")));
  auto plain = arguments(settings);
  plain.insert(plain.end(), {"-save_model_dir", (folder_ / "plain").string()});
  ASSERT_EQ(Child(plain, folder_.path()).outcome().status, 0);
  EXPECT_EQ(file("settings.toml"), slurp(folder_ / "plain/settings.toml"));
  const auto table = file("metrics.csv");
  const auto expected = slurp(folder_ / "plain/metrics.csv");
  EXPECT_EQ(table.substr(0, table.rfind(',')), expected.substr(0, expected.rfind(',')));
}

TEST_F(Surroundings, PathsMayHoldBlanksNewlinesAndAnyLetters) {
  const auto run = folder_ / "a run\nof Zoë's 猫";
  const auto data = folder_ / "da ta\n日";
  std::filesystem::rename(folder_ / "data", data);
  const auto words = [&](std::vector<std::string> more) {
    auto all = arguments(std::move(more));
    all.insert(all.end(), {"--dataset_path", data.string(), "-save_model_dir", run.string(), "--no_scores"});
    return all;
  };
  EXPECT_EQ(Child(words({"--max_steps", "1"}), folder_.path()).outcome().status, 0);
  EXPECT_EQ(Child(words({"--max_steps", "2", "--resume"}), folder_.path()).outcome().status, 0);
  EXPECT_EQ(count_steps(slurp(run / "metrics.csv")), 2U);
}

TEST_F(Surroundings, NeitherHomeNorAnOpenUmaskIsNeeded) {
  const auto outcome = train({"--max_steps", "1"}, [] {
    ::clearenv();
    ::umask(077);
  });
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  struct stat status = {};
  ASSERT_EQ(::stat((folder_ / "run/encoder.pth").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(FolderSurroundings, FewFileDescriptorsSuffice) {
  put("a", 60);
  put("b", 60);
  const auto outcome = run_folder({"--max_steps", "4", "--num_workers", "4", "--no_scores"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto limited = [] {
    const rlimit limit{64, 64};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  };
  std::filesystem::remove_all(folder_ / "run");
  const auto few = Child(arguments({"--dataset_name", "folder", "--dataset_path", (folder_ / "images").string(),
                                    "--image_size", "24", "--max_steps", "4", "--num_workers", "4"}),
                         folder_.path(), limited)
                       .outcome();
  EXPECT_EQ(few.status, 0) << few.err;
}

// CUDA's libraries alone, or a sanitizer, take more than is granted here.
#if !RELIC_WITH_CUDA && !defined(__SANITIZE_ADDRESS__)
TEST_F(Surroundings, LittleMemoryIsOneLine) {
  const auto outcome = train({"--max_steps", "1", "-b", "20", "--no_scores"}, [] {
    const rlimit limit{rlim_t{900} << 20U, rlim_t{900} << 20U};
    ::setrlimit(RLIMIT_AS, &limit);
  });
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("out of memory"));
  EXPECT_EQ(testing::count_lines(outcome.err), 1U) << outcome.err;
}
#endif

TEST_F(Surroundings, AClosedOutputDoesNotEndATraining) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);  // nobody reads
  ::dup2(ends[1], 199);
  const auto outcome = train({"--max_steps", "3", "--log_every_n_steps", "1", "--no_scores"}, [] {
    ::dup2(199, STDOUT_FILENO);
    ::dup2(199, STDERR_FILENO);
    ::signal(SIGPIPE, SIG_DFL);
  });
  ::close(ends[1]);
  ::close(199);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(count_steps(file("metrics.csv")), 3U);
}

TEST_F(Surroundings, AFullLogDiskDoesNotEndATraining) {
  const auto outcome = train({"--max_steps", "2", "--no_scores", "--log_file", "/dev/full"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("/dev/full"));
  EXPECT_EQ(count_steps(file("metrics.csv")), 2U);
}

}  // namespace
}  // namespace relic
