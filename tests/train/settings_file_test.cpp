// Settings as TOML: exact round trip, precedence, and errors that name file and line.
#include "relic/train/settings_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <locale>
#include <random>
#include <string>

#include "relic/core/error.h"
#include "relic/train/settings.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SettingsFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    std::ofstream(path()) << text;
    return path();
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "settings.toml"; }

  /// What the file of that text is refused with, without the path before it.
  std::string refusal(const std::string& text) {
    TrainConfig config;
    GivenSettings given;
    try {
      apply_settings_file(write(text), config, given);
    } catch (const UsageError& error) {
      std::string message = error.what();
      const std::string start = path().string() + ":";
      for (std::size_t at = message.find(start); at != std::string::npos; at = message.find(start)) {
        message.erase(at, start.size());
      }
      return message;
    }
    return "accepted";
  }

  testing::TemporaryFolder folder_;
};

TEST_F(SettingsFile, ReadsBackEveryRecordedSettingExactly) {
  TrainConfig config;
  config.dataset_name = "shapes";
  config.encoder_model_name = "resnet50";
  config.num_epochs = 7;
  config.learning_rate = 0.1 + 0.2;
  config.weight_decay = 4.9406564584124654e-324;
  config.gamma = std::nextafter(1.0, 0.0);
  config.alpha = 3;
  config.use_siglip = true;
  config.seed = 9223372036854775807U;
  config.num_workers = -1;
  config.compat = "0.4.1";
  config.precision = "bf16";
  config.save_every_seconds = 1e300;
  write_settings_file(path(), config);
  TrainConfig read;
  GivenSettings given;
  apply_settings_file(path(), read, given);
  for (const Setting& row : train_settings()) {
    if (!row.recorded) continue;
    EXPECT_EQ(row.get(read), row.get(config)) << row.name;
  }
  EXPECT_EQ(read.learning_rate, 0.1 + 0.2);
  EXPECT_EQ(read.weight_decay, 4.9406564584124654e-324);
  EXPECT_EQ(read.gamma, std::nextafter(1.0, 0.0));
  EXPECT_EQ(read.dataset_name, config.dataset_name);
  EXPECT_EQ(read.seed, config.seed);
}

TEST_F(SettingsFile, KeepsEveryBitOfRandomNumbers) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-300, 300);
  for (int i = 0; i < 2000; ++i) {
    TrainConfig config;
    config.dataset_name = "shapes";
    config.learning_rate = std::pow(10.0, exponent(random));
    TrainConfig read;
    GivenSettings given;
    apply_settings(settings_toml(config), "here", read, given);
    ASSERT_EQ(read.learning_rate, config.learning_rate);
  }
}

/// A locale whose decimal point is a comma, and which groups digits.
class Commas : public std::numpunct<char> {
  [[nodiscard]] char do_decimal_point() const override { return ','; }
  [[nodiscard]] char do_thousands_sep() const override { return '.'; }
  [[nodiscard]] std::string do_grouping() const override { return "\3"; }
};

TEST_F(SettingsFile, DoesNotDependOnTheLocale) {
  TrainConfig config;
  config.dataset_name = "shapes";
  config.gamma = 0.25;
  config.seed = 1234567;
  const std::string expected = settings_toml(config);
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Commas));
  TrainConfig read;
  GivenSettings given;
  const std::string text = settings_toml(config);
  apply_settings(text, "here", read, given);
  const std::string refused = refusal("batch_size = 12345.5");
  std::locale::global(before);
  EXPECT_EQ(text, expected);
  EXPECT_EQ(read.gamma, 0.25);
  EXPECT_EQ(read.seed, 1234567U);
  EXPECT_EQ(refused, "1: batch_size = 12345.5: must be an integer");
}

TEST_F(SettingsFile, NamesNoPathAndNoOneOffSwitch) {
  TrainConfig config;
  config.resume = config.overwrite = config.dry_run = config.quiet = true;
  config.max_steps = 5;
  config.ckpt_path = "a.pth";
  config.log_file = "a.log";
  const std::string text = settings_toml(config);
  for (const char* const name : {"dataset_path", "save_model_dir", "ckpt_path", "log_file", "resume", "overwrite",
                                 "dry_run", "quiet", "verbose", "max_steps"}) {
    EXPECT_THAT(text, Not(HasSubstr(std::string(name) + " ="))) << name;
  }
  EXPECT_THAT(text, AllOf(HasSubstr("\nlearning_rate = 0.0003\n"), HasSubstr("\nalpha = 1.0\n"),
                          HasSubstr("\nuse_siglip = false\n"), HasSubstr("\nbatch_size = 256\n")));
}

TEST_F(SettingsFile, AppliesEverySettingOfTheTable) {
  TrainConfig config;
  GivenSettings given;
  apply_settings_file(write("save_model_dir = \"out\"\nresume = true\nalpha = 2\nlearning_rate = 1e-3\n"), config,
                      given);
  EXPECT_EQ(config.save_model_dir, "out");
  EXPECT_TRUE(config.resume);
  EXPECT_EQ(config.alpha, 2.0);
  EXPECT_EQ(config.learning_rate, 1e-3);
  EXPECT_EQ(given, (GivenSettings{"alpha", "learning_rate", "resume", "save_model_dir"}));
}

TEST_F(SettingsFile, LeavesWhatIsGivenAndMarksWhatItSet) {
  TrainConfig config;
  config.batch_size = 8;
  GivenSettings given = {"batch_size"};
  apply_settings("batch_size = 16\nnum_epochs = 3", "first", config, given);
  apply_settings("batch_size = 32\nnum_epochs = 4\nseed = 5", "second", config, given);
  EXPECT_EQ(config.batch_size, 8);
  EXPECT_EQ(config.num_epochs, 3);
  EXPECT_EQ(config.seed, 5U);
  EXPECT_EQ(given, (GivenSettings{"batch_size", "num_epochs", "seed"}));
}

TEST_F(SettingsFile, RefusesUnknownKeysWithLineAndNearestName) {
  EXPECT_EQ(refusal("# a comment\nbatch_size = 2\n\nlerning_rate = 1.0\n"),
            "4: unknown setting lerning_rate; did you mean learning_rate?");
  EXPECT_EQ(refusal("[training]\nbatch_size = 2\n"), "1: unknown setting training; relic_train --help lists them");
  EXPECT_EQ(refusal("batchsize.x = 2\n"), "1: unknown setting batchsize; did you mean batch_size?");
  EXPECT_EQ(refusal("config = \"x\"\n"), "1: unknown setting config; relic_train --help lists them");
}

TEST_F(SettingsFile, RefusesValuesOfAnotherType) {
  EXPECT_EQ(refusal("\nbatch_size = \"64\"\n"), "2: batch_size = '64': must be an integer");
  EXPECT_EQ(refusal("batch_size = 64.0\n"), "1: batch_size = 64.0: must be an integer");
  EXPECT_EQ(refusal("alpha = true\n"), "1: alpha = true: must be a number");
  EXPECT_EQ(refusal("use_siglip = 1\n"), "1: use_siglip = 1: must be true or false");
  EXPECT_EQ(refusal("dataset_name = 10\n"), "1: dataset_name = 10: must be text in quotes");
  EXPECT_EQ(refusal("batch_size = [64]\n"), "1: batch_size = [ 64 ]: must be an integer");
  EXPECT_EQ(refusal("gamma = nan\n"), "1: --gamma nan: must be a number from 0 to 1");
  EXPECT_EQ(refusal("alpha = inf\n"), "1: --alpha inf: must be a number of at least 0");
  EXPECT_EQ(refusal("seed = -1\n"), "1: --seed -1: must be an integer from 0 to 9223372036854775807");
}

TEST_F(SettingsFile, RefusesValuesOutOfRangeWithTheirLine) {
  TrainConfig config;
  config.dataset_name = "shapes";
  GivenSettings given;
  const auto message = testing::message_of<UsageError>(
      [&] { apply_settings("seed = 3\nbatch_size = 1\ngamma = 1.5\n", "here", config, given); });
  EXPECT_EQ(
      message,
      "here:2: --batch_size 1: must be an integer of at least 2\nhere:3: --gamma 1.5: must be a number from 0 to 1");
  EXPECT_EQ(config.seed, 3);
  EXPECT_TRUE(find_problems(config).empty());  // they are not told a second time
  EXPECT_EQ(refusal("dataset_name = \"cifar10\"\nstem = \"none\"\n"),
            "2: --stem none: must be auto, cifar or imagenet");

  // What the command line overrules may be anything of its type.
  given = {"batch_size"};
  apply_settings("batch_size = 1\n", "here", config, given);
  EXPECT_EQ(config.batch_size, TrainConfig().batch_size);
}

TEST_F(SettingsFile, OfTwoNamesForOneThingTheStrongerSourcesCounts) {
  TrainConfig config;
  config.precision = "fp32";
  GivenSettings given = {"precision"};
  apply_settings("fp16_precision = true\nbatch_size = 8", "here", config, given);
  EXPECT_FALSE(config.fp16_precision);
  EXPECT_EQ(config.batch_size, 8);

  TrainConfig other;
  other.fp16_precision = true;
  given = {"fp16_precision"};
  apply_settings("precision = 'fp32'", "here", other, given);
  EXPECT_EQ(other.precision, "");

  TrainConfig both;
  given = {};
  apply_settings("precision = 'fp32'\nfp16_precision = true", "here", both, given);
  EXPECT_EQ(find_problems(both).back(), "--precision fp32 with --fp16_precision: must be one of them");
}

TEST_F(SettingsFile, RefusesBrokenSyntaxWithItsLine) {
  EXPECT_THAT(refusal("batch_size = 2\ncompat = 0.4.1\n"), StartsWith("2: "));
  EXPECT_THAT(refusal("batch_size 2\n"), StartsWith("1: "));
  EXPECT_THAT(refusal("seed = 1\nseed = 2\n"), StartsWith("2: "));
  EXPECT_THAT(refusal("seed = 1\nname = \"open\n"), AllOf(StartsWith("2: "), Not(HasSubstr("\n"))));
}

TEST_F(SettingsFile, ReportsAllProblemsInTheOrderOfLines) {
  EXPECT_EQ(refusal("zzz_unknown = 1\nuse_siglip = 3\nalpah = 2\n"),
            "1: unknown setting zzz_unknown; relic_train --help lists them\n2: use_siglip = 3: must be true or false\n"
            "3: unknown setting alpah; did you mean alpha?");
}

TEST_F(SettingsFile, AppliesWhatIsFineBesideWhatIsNot) {
  TrainConfig config;
  GivenSettings given;
  EXPECT_THROW(apply_settings("alpha = 2\nzzz = 1\nbatch_size = 8\nseed = true", "here", config, given), UsageError);
  EXPECT_EQ(config.alpha, 2.0);
  EXPECT_EQ(config.batch_size, 8);
  EXPECT_EQ(given, (GivenSettings{"alpha", "batch_size"}));
  EXPECT_THROW(apply_settings("alpha = 3\nalpha", "here", config, given), SettingsSyntaxError);
  EXPECT_EQ(config.alpha, 2.0);
}

TEST_F(SettingsFile, ChecksTheTypeOfWhatItDoesNotApply) {
  TrainConfig config;
  GivenSettings given = {"batch_size"};
  EXPECT_THROW(apply_settings("batch_size = 'x'", "here", config, given), UsageError);
}

TEST_F(SettingsFile, FailsOnAFileThatIsNotThere) {
  TrainConfig config;
  GivenSettings given;
  EXPECT_THROW(apply_settings_file(folder_ / "none.toml", config, given), Error);
}

}  // namespace
}  // namespace relic
