// From argv to settings: precedence, what is reported when, and the text of --help.
#include "command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

#include "relic/core/error.h"
#include "relic/train/settings.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

CommandLine parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"relic_train"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

std::string refusal(const std::vector<std::string>& arguments) {
  return testing::message_of<UsageError>([&] { require_no_problems(parse(arguments).problems); });
}

TEST(CommandLine, WithoutArgumentsGivesTheDefaults) {
  const CommandLine line = parse({});
  EXPECT_THAT(line.text, IsEmpty());
  EXPECT_THAT(line.given, IsEmpty());
  EXPECT_THAT(line.problems, IsEmpty());
  const TrainConfig defaults;
  for (const Setting& row : train_settings()) EXPECT_EQ(row.get(line.config), row.get(defaults)) << row.name;
}

TEST(CommandLine, WorksWithoutEvenAProgramName) { EXPECT_THAT(parse_command_line(0, nullptr).given, IsEmpty()); }

TEST(CommandLine, ReadsTheOriginalsExamples) {
  const CommandLine line = parse({"--dataset_name", "cifar10", "--encoder_model_name", "resnet18", "--fp16_precision",
                                  "--gamma", "0.99", "--alpha", "1.0"});
  EXPECT_EQ(line.config.dataset_name, "cifar10");
  EXPECT_EQ(line.config.encoder_model_name, "resnet18");
  EXPECT_TRUE(line.config.fp16_precision);
  EXPECT_EQ(line.config.gamma, 0.99);
  EXPECT_EQ(line.config.alpha, 1.0);
  EXPECT_EQ(line.given, (GivenSettings{"alpha", "dataset_name", "encoder_model_name", "fp16_precision", "gamma"}));
}

TEST(CommandLine, ReadsEverySettingOfTheTable) {
  for (const Setting& row : train_settings()) {
    TrainConfig changed;
    const std::string value = row.kind == SettingKind::flag      ? "true"
                              : row.kind == SettingKind::integer ? "77"
                              : row.kind == SettingKind::real    ? "0.125"
                                                                 : "some text";
    row.set(changed, value);
    const CommandLine line = parse({"--" + row.name + "=" + value});
    for (const Setting& other : train_settings()) {
      EXPECT_EQ(other.get(line.config), other.get(changed)) << row.name << " and " << other.name;
    }
    EXPECT_EQ(line.given, GivenSettings{row.name});
  }
}

TEST(CommandLine, ReadsShortSpellings) {
  const CommandLine line = parse({"-lr", "1e-3", "-wd=0", "-b64", "-m", "resnet50", "-save", "out", "--num_ep", "5"});
  EXPECT_EQ(line.config.learning_rate, 1e-3);
  EXPECT_EQ(line.config.weight_decay, 0.0);
  EXPECT_EQ(line.config.batch_size, 64);
  EXPECT_EQ(line.config.encoder_model_name, "resnet50");
  EXPECT_EQ(line.config.save_model_dir, "out");
  EXPECT_EQ(line.config.num_epochs, 5);
}

TEST(CommandLine, TheLastOfSeveralWins) {
  EXPECT_EQ(parse({"-b", "64", "--batch_size=32", "-b8"}).config.batch_size, 8);
  EXPECT_FALSE(parse({"--use_siglip", "--use_siglip=false"}).config.use_siglip);
  EXPECT_TRUE(parse({"--use_siglip", "--use_siglip"}).config.use_siglip);
}

TEST(CommandLine, HandsOnUnusualValuesAsTheyAre) {
  for (const std::string value : {"", "--gamma", "-x", "--", "[a,b]", "{}", "a=b", "'q'", "\"q\"", " ", "%%", "/x"}) {
    const CommandLine line = parse({"--dataset_path=" + value, "--alpha", "2"});
    EXPECT_EQ(line.config.dataset_path.string(), value);
    EXPECT_EQ(line.config.alpha, 2.0) << value;
  }
}

TEST(CommandLine, AStrayArgumentIsNamed) {
  EXPECT_EQ(refusal({"--alpha", "1", "train"}), "unexpected argument 'train': every setting is an option, see --help");
  EXPECT_EQ(refusal({"--", "--alpha"}), "unexpected argument '--alpha': every setting is an option, see --help");
  EXPECT_EQ(refusal({"-5"}), "unexpected argument '-5': every setting is an option, see --help");
  EXPECT_EQ(refusal({"--use_siglip", "a", "b"}),
            "unexpected argument 'a': every setting is an option, see --help\n"
            "unexpected argument 'b': every setting is an option, see --help");
}

TEST(CommandLine, KeepsEveryValueThatCannotBeRead) {
  const CommandLine line = parse({"-b", "many", "--gamma", "inf", "--alpha", "2", "--num_epochs=1e3"});
  EXPECT_THAT(line.problems, ElementsAre("--num_epochs 1e3: must be an integer of at least 1, written in digits alone",
                                         "--batch_size many: must be an integer of at least 2",
                                         "--gamma inf: must be a number from 0 to 1"));
  EXPECT_EQ(line.config.alpha, 2.0);
}

TEST(CommandLine, TakesANegativeNumberAndLeavesItToTheCheck) {
  const CommandLine line = parse({"--dataset_name=shapes", "--gamma", "-1"});
  EXPECT_EQ(line.config.gamma, -1.0);
  EXPECT_THAT(line.problems, IsEmpty());
  EXPECT_THAT(find_problems(line.config), ElementsAre("--gamma -1: must be a number from 0 to 1"));
}

TEST(CommandLine, GoesBeforeTheFileAndTheFileBeforeDefaults) {
  testing::TemporaryFolder folder;
  testing::spit(folder / "a.toml", "batch_size = 16\nnum_epochs = 3\nuse_siglip = true\n");
  const std::string file = (folder / "a.toml").string();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--config", file, "-b", "8", "--use_siglip=false"},
        std::vector<std::string>{"-b", "8", "--use_siglip=false", "--conf=" + file}}) {
    const CommandLine line = parse(arguments);
    EXPECT_EQ(line.config.batch_size, 8);
    EXPECT_EQ(line.config.num_epochs, 3);
    EXPECT_FALSE(line.config.use_siglip);
    EXPECT_EQ(line.config.proj_out_dim, 64);
    EXPECT_EQ(line.given, (GivenSettings{"batch_size", "num_epochs", "use_siglip"}));
  }
}

TEST(CommandLine, RecordedSettingsComeAfterTheFile) {
  testing::TemporaryFolder folder;
  testing::spit(folder / "a.toml", "num_epochs = 3\n");
  CommandLine line = parse({"--config", (folder / "a.toml").string(), "-b", "8"});
  TrainConfig recorded;
  recorded.dataset_name = "shapes";
  recorded.batch_size = 16;
  recorded.num_epochs = 4;
  recorded.seed = 5;
  apply_settings(settings_toml(recorded), "recorded", line.config, line.given);
  EXPECT_EQ(line.config.batch_size, 8);
  EXPECT_EQ(line.config.num_epochs, 3);
  EXPECT_EQ(line.config.seed, 5U);
}

TEST(CommandLine, ReportsWhatIsWrongInTheFileWithTheRest) {
  testing::TemporaryFolder folder;
  testing::spit(folder / "a.toml", "\nnum_epoch = 3\n");
  const std::string file = (folder / "a.toml").string();
  EXPECT_THAT(parse({"--config", file, "-b", "x"}).problems,
              ElementsAre("--batch_size x: must be an integer of at least 2",
                          file + ":2: unknown setting num_epoch; did you mean num_epochs?"));
}

TEST(CommandLine, StopsAtAFileThatCannotBeReadAtAll) {
  testing::TemporaryFolder folder;
  testing::spit(folder / "a.toml", "dataset_name = shapes\n");
  const std::string file = (folder / "a.toml").string();
  EXPECT_EQ(refusal({"--config", "no/such.toml", "-b", "x"}),
            "--batch_size x: must be an integer of at least 2\n--config no/such.toml: must be an existing file");
  EXPECT_EQ(refusal({"--config="}), "--config '': must be an existing file");
  EXPECT_EQ(refusal({"--config", "/"}), "--config /: must be an existing file");
  EXPECT_THAT(refusal({"--config", file}), StartsWith(file + ":1: "));
}

TEST(CommandLine, HelpAndVersionComeBeforeBadValues) {
  EXPECT_THAT(parse({"-b", "x", "--help"}).text, StartsWith("Usage: relic_train"));
  EXPECT_THAT(parse({"stray", "-h"}).text, StartsWith("Usage: relic_train"));
  EXPECT_THAT(parse({"--version", "-b", "x"}).text, StartsWith("relic_train "));
}

TEST(Help, ListsEveryOptionOnceAndEveryDefault) {
  const std::string help = parse({"--help"}).text;
  std::vector<std::string> headings;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  -")) headings.push_back(line);
  }
  const auto times = [&](const std::string& option) {
    int found = 0;
    for (const std::string& heading : headings) {
      std::istringstream words(heading);
      bool here = false;
      for (std::string word; words >> word && word.starts_with('-');)
        here = here || word == option || word == option + ",";
      found += here ? 1 : 0;
    }
    return found;
  };
  for (const Setting& row : train_settings()) {
    EXPECT_EQ(times("--" + row.name), 1) << row.name;
    for (const std::string& alias : row.aliases) EXPECT_EQ(times(alias), 1) << alias;
  }
  for (const std::string option : {"--config", "--help", "-h", "--version"}) EXPECT_EQ(times(option), 1) << option;
  EXPECT_EQ(headings.size(), train_settings().size() + 3);
  EXPECT_THAT(help, HasSubstr("default: 0.0003]"));
  EXPECT_THAT(help, HasSubstr("default: stl10]"));
}

TEST(Help, FitsEightyColumns) {
  std::istringstream lines(parse({"--help"}).text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Version, NamesProgramCommitLibTorchCudaAndCompiler) {
  const std::string text = parse({"--version"}).text;
  for (const char* const name : {"relic_train ", "\ncommit ", "\nLibTorch ", "\nCUDA ", "\ncompiler "}) {
    EXPECT_THAT(text, HasSubstr(name));
  }
}

}  // namespace
}  // namespace relic
