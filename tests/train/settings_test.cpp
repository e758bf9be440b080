// The table of settings: defaults, what each reads and refuses, and problems of a whole configuration.
#include "relic/train/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const Setting& setting(const std::string& name) {
  const Setting* const row = find_setting(name);
  if (row == nullptr) throw std::runtime_error("no setting " + name);
  return *row;
}

/// A configuration without problems, with these settings on top.
TrainConfig with(const std::map<std::string, std::string>& values) {
  TrainConfig config;
  config.dataset_name = "cifar10";
  for (const auto& [name, value] : values) setting(name).set(config, value);
  return config;
}

std::string refusal(const std::string& name, const std::string& value) {
  TrainConfig config;
  try {
    setting(name).set(config, value);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted as " + setting(name).get(config);
}

TEST(Settings, KeepTheOriginalsNamesSpellingsAndDefaults) {
  struct Original {
    std::string name;
    std::vector<std::string> aliases;
    std::string default_text;
  };
  const std::vector<Original> originals = {
      {"dataset_path", {}, "./data"},
      {"dataset_name", {}, "stl10"},
      {"encoder_model_name", {"-m"}, "resnet18"},
      {"save_model_dir", {"-save_model_dir"}, "./models"},
      {"num_epochs", {}, "100"},
      {"batch_size", {"-b"}, "256"},
      {"learning_rate", {"-lr"}, "0.0003"},
      {"weight_decay", {"-wd"}, "1e-5"},
      {"fp16_precision", {}, "false"},
      {"proj_out_dim", {}, "64"},
      {"proj_hidden_dim", {}, "512"},
      {"log_every_n_steps", {}, "400"},
      {"gamma", {}, "0.995"},
      {"alpha", {}, "1"},
      {"use_siglip", {}, "false"},
      {"update_gamma_after_step", {}, "1"},
      {"update_gamma_every_n_steps", {}, "1"},
      {"ckpt_path", {}, ""},
      {"num_global_views", {}, "2"},
      {"num_local_views", {}, "4"},
  };
  const TrainConfig defaults;
  std::set<std::string> names;
  for (const Original& original : originals) {
    const Setting& row = setting(original.name);
    EXPECT_TRUE(row.original) << original.name;
    EXPECT_EQ(row.aliases, original.aliases) << original.name;
    EXPECT_EQ(row.get(defaults), original.default_text) << original.name;
    names.insert(original.name);
  }
  for (const Setting& row : train_settings()) EXPECT_EQ(row.original, names.contains(row.name)) << row.name;
  EXPECT_EQ(setting("seed").get(defaults), "42");
}

TEST(Settings, AreListedWithTheOriginalsFirst) {
  bool ours = false;
  for (const Setting& row : train_settings()) {
    EXPECT_FALSE(ours && row.original) << row.name;
    ours = ours || !row.original;
  }
}

TEST(Settings, AreEachNamedOnceAndExplained) {
  std::set<std::string> names;
  for (const Setting& row : train_settings()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.help.empty()) << row.name;
    EXPECT_FALSE(row.group.empty()) << row.name;
    EXPECT_EQ(row.placeholder.empty(), row.kind == SettingKind::flag) << row.name;
  }
}

TEST(Settings, ReadBackWhatTheyWrite) {
  const std::map<std::string, std::string> changed = {{"learning_rate", "0.1000000000000000055511151231257827"},
                                                      {"weight_decay", "4.9406564584124654e-324"},
                                                      {"alpha", "1.7976931348623157e308"},
                                                      {"gamma", "0.30000000000000004"},
                                                      {"seed", "9223372036854775807"},
                                                      {"num_workers", "-1"},
                                                      {"dataset_path", "/a b/'c'"},
                                                      {"use_siglip", "true"}};
  const TrainConfig config = with(changed);
  TrainConfig copy;
  for (const Setting& row : train_settings()) row.set(copy, row.get(config));
  for (const Setting& row : train_settings()) EXPECT_EQ(row.get(copy), row.get(config)) << row.name;
  EXPECT_EQ(copy.learning_rate, 0.1);
  EXPECT_EQ(copy.weight_decay, 4.9406564584124654e-324);
  EXPECT_EQ(copy.alpha, 1.7976931348623157e308);
  EXPECT_EQ(copy.gamma, 0.1 + 0.2);
  EXPECT_EQ(copy.seed, 9223372036854775807U);
  EXPECT_TRUE(copy.use_siglip);
}

TEST(Settings, TakeNumbersWithALeadingPlus) {
  EXPECT_EQ(with({{"batch_size", "+64"}}).batch_size, 64);
  EXPECT_EQ(with({{"alpha", "+.5"}}).alpha, 0.5);
}

TEST(Settings, RefuseTextThatIsNoNumber) {
  for (const std::string text :
       {"", "abc", "1x", "1 ", " 1", "0x10", "--1", "+-1", "1,5", "1_0", "99999999999999999999"}) {
    EXPECT_THAT(refusal("batch_size", text), StartsWith("--batch_size ")) << text;
    EXPECT_THAT(refusal("batch_size", text), HasSubstr("must be an integer of at least 2")) << text;
  }
  for (const std::string text : {"", "abc", "1x", "0,5", "inf", "-inf", "nan", "1e999", "infinity", "0x1p3"}) {
    EXPECT_THAT(refusal("learning_rate", text), HasSubstr("must be a number of at least 0")) << text;
  }
  EXPECT_EQ(refusal("batch_size", "1e3"),
            "--batch_size 1e3: must be an integer of at least 2, written in digits alone");
  EXPECT_EQ(refusal("batch_size", "64.0"),
            "--batch_size 64.0: must be an integer of at least 2, written in digits alone");
  EXPECT_EQ(refusal("seed", "-1"), "--seed -1: must be an integer from 0 to 9223372036854775807");
  EXPECT_EQ(refusal("use_siglip", "yes"), "--use_siglip yes: must be true or false");
  EXPECT_EQ(refusal("gamma", ""), "--gamma '': must be a number from 0 to 1");
}

TEST(Settings, DefaultsHaveNoProblem) { EXPECT_THAT(find_problems(TrainConfig{}), IsEmpty()); }

constexpr const char* kDatasets = "stl10, cifar10, tiny_imagenet, food101, imagenet1k, folder or shapes";

struct Problem {
  std::map<std::string, std::string> values;
  std::string message;
};
void PrintTo(const Problem& problem, std::ostream* out) { *out << problem.message; }

class SettingsProblem : public ::testing::TestWithParam<Problem> {};

TEST_P(SettingsProblem, IsTheOneReported) {
  EXPECT_THAT(find_problems(with(GetParam().values)), ElementsAre(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, SettingsProblem,
    ::testing::Values(
        Problem{{{"dataset_name", "cifar"}},
                std::string("--dataset_name cifar: must be ") + kDatasets + "; did you mean cifar10?"},
        Problem{{{"dataset_name", "CIFAR10"}},
                std::string("--dataset_name CIFAR10: must be ") + kDatasets + "; did you mean cifar10?"},
        Problem{{{"dataset_name", "zzzzzzzz"}}, std::string("--dataset_name zzzzzzzz: must be ") + kDatasets},
        Problem{{{"image_size", "7"}}, "--image_size 7: must be an integer from 8 to 4096, or 0 for the data set's"},
        Problem{{{"image_size", "5000"}},
                "--image_size 5000: must be an integer from 8 to 4096, or 0 for the data set's"},
        Problem{{{"max_bad_images", "-1"}}, "--max_bad_images -1: must be an integer of at least 0"},
        Problem{{{"encoder_model_name", "resnet81"}},
                "--encoder_model_name resnet81: must be resnet18, resnet50 or efficientnet; did you mean resnet18?"},
        Problem{{{"encoder_model_name", ""}}, "--encoder_model_name '': must be resnet18, resnet50 or efficientnet"},
        Problem{{{"dataset_path", ""}}, "--dataset_path '': must be a folder"},
        Problem{{{"save_model_dir", ""}}, "--save_model_dir '': must be a folder"},
        Problem{{{"ckpt_path", "no/such/file.pth"}}, "--ckpt_path no/such/file.pth: must be an existing file"},
        Problem{{{"ckpt_path", "/"}}, "--ckpt_path /: must be an existing file"},
        Problem{{{"batch_size", "1"}}, "--batch_size 1: must be an integer of at least 2"},
        Problem{{{"batch_size", "9000000000000000000"}},
                "--batch_size 9000000000000000000: must be an integer of at least 2 and at most 1000000000000"},
        Problem{{{"num_epochs", "0"}}, "--num_epochs 0: must be an integer of at least 1"},
        Problem{{{"learning_rate", "-3e-4"}}, "--learning_rate -0.0003: must be a number of at least 0"},
        Problem{{{"weight_decay", "-1"}}, "--weight_decay -1: must be a number of at least 0"},
        Problem{{{"alpha", "-0.5"}}, "--alpha -0.5: must be a number of at least 0"},
        Problem{{{"proj_out_dim", "0"}}, "--proj_out_dim 0: must be an integer from 1 to 1000000"},
        Problem{{{"proj_hidden_dim", "-5"}}, "--proj_hidden_dim -5: must be an integer from 1 to 1000000"},
        Problem{{{"log_every_n_steps", "0"}}, "--log_every_n_steps 0: must be an integer of at least 1"},
        Problem{{{"gamma", "-1"}}, "--gamma -1: must be a number from 0 to 1"},
        Problem{{{"gamma", "1.5"}}, "--gamma 1.5: must be a number from 0 to 1"},
        Problem{{{"update_gamma_after_step", "-1"}}, "--update_gamma_after_step -1: must be an integer of at least 0"},
        Problem{{{"update_gamma_every_n_steps", "0"}},
                "--update_gamma_every_n_steps 0: must be an integer of at least 1"},
        Problem{{{"num_global_views", "0"}}, "--num_global_views 0: must be an integer from 1 to 100"},
        Problem{{{"num_global_views", "0"}, {"num_local_views", "0"}},
                "--num_global_views 0: must be an integer from 1 to 100"},
        Problem{{{"num_local_views", "-1"}}, "--num_local_views -1: must be an integer from 0 to 100"},
        Problem{{{"num_global_views", "1"}, {"num_local_views", "0"}},
                "--num_global_views 1 with --num_local_views 0: one view has no other to be compared with; their sum "
                "must be at least 2"}));

INSTANTIATE_TEST_SUITE_P(
    Ours, SettingsProblem,
    ::testing::Values(
        Problem{{{"device", "gpu"}}, "--device gpu: must be auto, cpu, cuda or cuda:N, N from 0 to 99"},
        Problem{{{"device", "cuda:"}}, "--device cuda:: must be auto, cpu, cuda or cuda:N, N from 0 to 99"},
        Problem{{{"device", "cuda:-1"}}, "--device cuda:-1: must be auto, cpu, cuda or cuda:N, N from 0 to 99"},
        Problem{{{"device", "cuda:1x"}}, "--device cuda:1x: must be auto, cpu, cuda or cuda:N, N from 0 to 99"},
        Problem{{{"device", "cuda:256"}}, "--device cuda:256: must be auto, cpu, cuda or cuda:N, N from 0 to 99"},
        Problem{{{"precision", "fp8"}}, "--precision fp8: must be fp32, bf16 or fp16; did you mean fp32?"},
        Problem{{{"precision", "double"}}, "--precision double: must be fp32, bf16 or fp16"},
        Problem{{{"stem", "cifer"}}, "--stem cifer: must be auto, cifar or imagenet; did you mean cifar?"},
        Problem{{{"stem", ""}}, "--stem '': must be auto, cifar or imagenet"},
        Problem{{{"compat", "0.4.2"}}, "--compat 0.4.2: must be 0.4.1"},
        Problem{{{"num_threads", "-1"}}, "--num_threads -1: must be an integer from 0 to 4096"},
        Problem{{{"num_workers", "-2"}},
                "--num_workers -2: must be an integer from 1 to 4096, or -1 for what fits the machine"},
        Problem{{{"num_workers", "0"}},
                "--num_workers 0: must be an integer from 1 to 4096, or -1 for what fits the machine"},
        Problem{{{"max_images", "-1"}}, "--max_images -1: must be an integer of at least 0"},
        Problem{{{"max_images", "100"}},
                "--max_images 100: fewer than --batch_size, 256; give more, or a smaller batch"},
        Problem{{{"max_steps", "-1"}}, "--max_steps -1: must be an integer of at least 0"},
        Problem{{{"save_every_seconds", "-1"}}, "--save_every_seconds -1: must be a number of at least 0"},
        Problem{{{"seed", "9223372036854775808"}},
                "--seed 9223372036854775808: must be an integer from 0 to 9223372036854775807"},
        Problem{{{"resume", "true"}, {"overwrite", "true"}},
                "--resume with --overwrite: must be one of them, to go on with a run or to start anew"},
        Problem{{{"quiet", "true"}, {"verbose", "true"}}, "--quiet with --verbose: must be one of them"},
        Problem{{{"precision", "fp32"}, {"fp16_precision", "true"}},
                "--precision fp32 with --fp16_precision: must be one of them"}));

TEST(Settings, ReportAllProblemsAtOnce) {
  const auto problems = find_problems(with({{"batch_size", "1"},
                                            {"gamma", "2"},
                                            {"learning_rate", "-1"},
                                            {"encoder_model_name", "vit"},
                                            {"quiet", "true"},
                                            {"verbose", "true"}}));
  EXPECT_THAT(problems, ElementsAre(HasSubstr("--encoder_model_name"), HasSubstr("--batch_size"),
                                    HasSubstr("--learning_rate"), HasSubstr("--gamma"), HasSubstr("--quiet")));
}

TEST(Settings, AcceptWhatIsAtTheEdgeOfTheirRanges) {
  testing::TemporaryFolder folder;
  std::ofstream(folder / "weights.pth") << "x";
  const std::vector<std::map<std::string, std::string>> fine = {
      {{"batch_size", "2"}},
      {{"gamma", "0"}},
      {{"gamma", "1"}},
      {{"learning_rate", "0"}},
      {{"num_local_views", "0"}},
      {{"num_global_views", "1"}},
      {{"device", "cpu"}},
      {{"device", "cuda"}},
      {{"device", "cuda:12"}},
      {{"precision", "bf16"}},
      {{"precision", ""}},
      {{"compat", "0.4.1"}},
      {{"compat", ""}},
      {{"stem", "imagenet"}},
      {{"max_images", "256"}},
      {{"update_gamma_after_step", "0"}},
      {{"ckpt_path", ""}},
      {{"ckpt_path", (folder / "weights.pth").string()}},
      {{"num_workers", "-1"}},
      {{"num_workers", "1"}},
      {{"dataset_name", "shapes"}},
      {{"precision", "fp16"}, {"fp16_precision", "true"}},
  };
  for (const auto& values : fine) EXPECT_THAT(find_problems(with(values)), IsEmpty()) << values.begin()->first;
}

TEST(Settings, AreRefusedTogetherInOneError) {
  EXPECT_NO_THROW(require_no_problems({}));
  try {
    require_no_problems({"one", "two"});
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "one\ntwo");
  }
}

}  // namespace
}  // namespace relic
