// The built program: exit status, and what goes to which stream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "apps/program.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Outcome;
using ::testing::StartsWith;

Outcome run(const std::string& arguments, const std::string& out = {}) {
  const testing::TemporaryFolder folder;
  const std::string out_path = out.empty() ? (folder / "out").string() : out;
  const std::string err_path = (folder / "err").string();
  const std::string command =
      std::string(RELIC_TRAIN_PROGRAM) + " " + arguments + " </dev/null >" + out_path + " 2>" + err_path;
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, out.empty() ? testing::slurp(out_path) : "",
          testing::slurp(err_path)};
}

TEST(Program, PrintsHelpAndVersionOnStandardOutput) {
  for (const std::string option : {"--help", "-h", "--version"}) {
    const Outcome outcome = run(option);
    EXPECT_EQ(outcome.status, 0) << option;
    EXPECT_THAT(outcome.out, HasSubstr("relic_train")) << option;
    EXPECT_THAT(outcome.err, IsEmpty()) << option;
  }
}

TEST(Program, ReturnsTwoWithOneLineForAMisspeltOption) {
  const Outcome outcome = run("--dataset_name shapes --gama 0.9");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(outcome.err, "relic_train: unknown option --gama; did you mean --gamma?\n");
}

TEST(Program, ReturnsTwoForEveryKindOfUsageError) {
  for (const std::string arguments :
       {"--num 5", "--gamma", "stray", "-b x", "-b 1", "-b 1e3", "--gamma -1", "-lr -1", "--dataset_name nope",
        "--dataset_name shapes --num_global_views 0", "--dataset_name shapes --device gpu", "--use_siglip=maybe",
        "--config no/such.toml", "--dataset_name shapes --resume --overwrite"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments;
    EXPECT_THAT(outcome.out, IsEmpty()) << arguments;
    EXPECT_THAT(outcome.err, StartsWith("relic_train: ")) << arguments;
  }
}

TEST(Program, ReportsAllBadValuesAtOnceALineEach) {
  const Outcome outcome = run("--dataset_name cifar -b 1 --gamma 2 -lr fast");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("relic_train: --dataset_name cifar: "), HasSubstr("relic_train: --batch_size 1: "),
                    HasSubstr("relic_train: --gamma 2: "), HasSubstr("relic_train: --learning_rate fast: ")));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 4);
}

TEST(Program, NamesFileAndLineOfABadSettingsFile) {
  const testing::TemporaryFolder folder;
  testing::spit(folder / "a.toml", "dataset_name = 'shapes'\ngama = 1\n");
  const Outcome outcome = run("--config " + (folder / "a.toml").string());
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "relic_train: " + (folder / "a.toml").string() + ":2: unknown setting gama; did you mean gamma?\n");
}

TEST(Program, APathWithANewlineIsOneLine) {
  const Outcome outcome = run("--dataset_name folder --dataset_path '/no\nsuch' --device cpu --dry_run");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "relic_train: there is no folder /no\\nsuch\n");
}

TEST(Program, APathsEscapeCharacterDoesNotReachTheTerminal) {
  const Outcome outcome = run("--dataset_name folder --dataset_path '/nö\x1b[31msuch' --device cpu --dry_run");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "relic_train: there is no folder /nö\\x1b[31msuch\n");
}

TEST(Program, ReturnsOneWhereItsOutputCannotBeWritten) {
  for (const std::string arguments : {"--help", "--version", "probe --help", "embed --help",
                                      "--dataset_name shapes --device cpu -b 4 --num_local_views 1 --dry_run"}) {
    const Outcome outcome = run(arguments, "/dev/full");
    EXPECT_EQ(outcome.status, 1) << arguments;
    EXPECT_EQ(outcome.err, "relic_train: standard output cannot be written to\n") << arguments;
  }
}

TEST(Program, TellsAWordThatIsNoCommandWithTheNearest) {
  const Outcome outcome = run("prob --encoder x");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(
      outcome.err,
      "relic_train: unknown command 'prob': did you mean probe? Commands are probe and embed; without one, options "
      "alone, it trains (--help)\n");
}

}  // namespace
}  // namespace relic
