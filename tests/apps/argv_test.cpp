// Spellings of options against argparse's rules. The original's flags are listed by hand, from its documentation.
#include "argv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "command.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using Tokens = std::vector<std::string>;

struct Normalized {
  Tokens tokens;
  Tokens problems;
};

Normalized read(const Tokens& arguments) {
  static const std::vector<OptionSpelling> options = option_spellings(train_command());
  Normalized normalized;
  normalized.tokens = normalize_arguments(arguments, options, normalized.problems);
  return normalized;
}

Tokens normalize(const Tokens& arguments) {
  const Normalized normalized = read(arguments);
  EXPECT_THAT(normalized.problems, ::testing::IsEmpty());
  return normalized.tokens;
}

std::string problems_of(const Tokens& arguments) {
  const Normalized normalized = read(arguments);
  if (normalized.problems.empty()) return "accepted as " + ::testing::PrintToString(normalized.tokens);
  std::string lines;
  for (const auto& problem : normalized.problems) lines += (lines.empty() ? "" : "\n") + problem;
  return lines;
}

struct Spelling {
  Tokens typed;
  Tokens meant;
};
void PrintTo(const Spelling& spelling, std::ostream* out) {
  for (const auto& token : spelling.typed) *out << token << ' ';
}

class Spellings : public ::testing::TestWithParam<Spelling> {};

TEST_P(Spellings, MeanTheOption) { EXPECT_EQ(normalize(GetParam().typed), GetParam().meant); }

INSTANTIATE_TEST_SUITE_P(
    LongOptions, Spellings,
    ::testing::Values(
        Spelling{{}, {}}, Spelling{{"--num_epochs", "5"}, {"--num_epochs", "5"}},
        Spelling{{"--num_epochs=5"}, {"--num_epochs", "5"}}, Spelling{{"--num_ep", "5"}, {"--num_epochs", "5"}},
        Spelling{{"--num_ep=5"}, {"--num_epochs", "5"}},
        Spelling{{"--dataset_name", "cifar10"}, {"--dataset_name", "cifar10"}},
        Spelling{{"--save_model_dir", "x"}, {"--save_model_dir", "x"}},
        Spelling{{"--save_model_dir=x"}, {"--save_model_dir", "x"}},
        Spelling{{"--save", "x"}, {"--save_model_dir", "x"}}, Spelling{{"--fp16_precision"}, {"--fp16_precision"}},
        Spelling{{"--fp16"}, {"--fp16_precision"}}, Spelling{{"--use_siglip=false"}, {"--use_siglip=false"}},
        Spelling{{"--use=true"}, {"--use_siglip=true"}}, Spelling{{"--ckpt_path="}, {"--ckpt_path", ""}},
        Spelling{{"--ckpt_path", ""}, {"--ckpt_path", ""}}, Spelling{{"--ckpt_path=a=b"}, {"--ckpt_path", "a=b"}},
        Spelling{{"--batch_size", "1", "--batch_size", "2"}, {"--batch_size", "1", "--batch_size", "2"}}));

INSTANTIATE_TEST_SUITE_P(
    SingleDash, Spellings,
    ::testing::Values(
        Spelling{{"-lr", "3e-4"}, {"--learning_rate", "3e-4"}}, Spelling{{"-lr=3e-4"}, {"--learning_rate", "3e-4"}},
        Spelling{{"-l", "3e-4"}, {"--learning_rate", "3e-4"}}, Spelling{{"-l=3e-4"}, {"--learning_rate", "3e-4"}},
        Spelling{{"-wd", "1e-5"}, {"--weight_decay", "1e-5"}}, Spelling{{"-wd=1e-5"}, {"--weight_decay", "1e-5"}},
        Spelling{{"-w", "1e-5"}, {"--weight_decay", "1e-5"}},
        Spelling{{"-save_model_dir", "x"}, {"--save_model_dir", "x"}},
        Spelling{{"-save_model_dir=x"}, {"--save_model_dir", "x"}}, Spelling{{"-save", "x"}, {"--save_model_dir", "x"}},
        Spelling{{"-save=x"}, {"--save_model_dir", "x"}}, Spelling{{"-s", "x"}, {"--save_model_dir", "x"}},
        Spelling{{"-m", "resnet50"}, {"--encoder_model_name", "resnet50"}},
        Spelling{{"-mresnet50"}, {"--encoder_model_name", "resnet50"}},
        Spelling{{"-m=resnet50"}, {"--encoder_model_name", "resnet50"}}, Spelling{{"-b", "64"}, {"--batch_size", "64"}},
        Spelling{{"-b64"}, {"--batch_size", "64"}}, Spelling{{"-b=64"}, {"--batch_size", "64"}},
        Spelling{{"-b-1"}, {"--batch_size", "-1"}}, Spelling{{"-h"}, {"--help"}}));

INSTANTIATE_TEST_SUITE_P(Values, Spellings,
                         ::testing::Values(Spelling{{"--gamma", "-1"}, {"--gamma", "-1"}},
                                           Spelling{{"--gamma", "-.5"}, {"--gamma", "-.5"}},
                                           Spelling{{"-lr", "-3e-4"}, {"--learning_rate", "-3e-4"}},
                                           Spelling{{"--dataset_path=--gamma"}, {"--dataset_path", "--gamma"}},
                                           Spelling{{"--dataset_path=-x"}, {"--dataset_path", "-x"}},
                                           Spelling{{"--dataset_path", "-"}, {"--dataset_path", "-"}},
                                           Spelling{{"--dataset_path", "-x data"}, {"--dataset_path", "-x data"}},
                                           Spelling{{"--dataset_path", "[a,b]"}, {"--dataset_path", "[a,b]"}}));

INSTANTIATE_TEST_SUITE_P(
    TwoDashes, Spellings,
    ::testing::Values(Spelling{{"--"}, {}}, Spelling{{"a", "--gamma", "1"}, {"--gamma", "1", "--", "a"}},
                      Spelling{{"--gamma", "1", "--", "--alpha", "-b"}, {"--gamma", "1", "--", "--alpha", "-b"}},
                      Spelling{{"-5"}, {"--", "-5"}}, Spelling{{"--use_siglip", "x"}, {"--use_siglip", "--", "x"}}));

TEST(Spellings, EveryPrefixThatIsUniqueAmongTheOriginalsFlagsMeansThatFlag) {
  const std::vector<std::string> originals = {"--dataset_path",
                                              "--dataset_name",
                                              "--encoder_model_name",
                                              "--save_model_dir",
                                              "--num_epochs",
                                              "--batch_size",
                                              "--learning_rate",
                                              "--weight_decay",
                                              "--fp16_precision",
                                              "--proj_out_dim",
                                              "--proj_hidden_dim",
                                              "--log_every_n_steps",
                                              "--gamma",
                                              "--alpha",
                                              "--use_siglip",
                                              "--update_gamma_after_step",
                                              "--ckpt_path",
                                              "--num_global_views",
                                              "--update_gamma_every_n_steps",
                                              "--num_local_views",
                                              "--help"};
  int unique = 0;
  for (const std::string& flag : originals) {
    const bool takes_value = flag != "--fp16_precision" && flag != "--use_siglip" && flag != "--help";
    for (std::size_t length = 3; length <= flag.size(); ++length) {
      const std::string prefix = flag.substr(0, length);
      const auto meant = std::count_if(originals.begin(), originals.end(),
                                       [&](const std::string& other) { return other.starts_with(prefix); });
      if (meant == 1) {
        ++unique;
        EXPECT_EQ(normalize(takes_value ? Tokens{prefix, "1"} : Tokens{prefix}),
                  takes_value ? (Tokens{flag, "1"}) : (Tokens{flag}))
            << prefix;
      } else {
        EXPECT_THAT(problems_of({prefix, "1"}), HasSubstr("ambiguous option " + prefix + ": ")) << prefix;
        EXPECT_THAT(problems_of({prefix, "1"}), HasSubstr(flag)) << prefix;
      }
    }
  }
  EXPECT_EQ(unique, 205);
}

TEST(Spellings, OurOptionsMayBeCutToWhatIsUniqueAmongAll) {
  EXPECT_EQ(normalize({"--conf", "x"}), (Tokens{"--config", "x"}));
  EXPECT_EQ(normalize({"--see", "1"}), (Tokens{"--seed", "1"}));
  EXPECT_EQ(normalize({"--num_t=2"}), (Tokens{"--num_threads", "2"}));
  EXPECT_EQ(normalize({"--dr"}), (Tokens{"--dry_run"}));
}

TEST(Spellings, AnAmbiguousOneListsTheCandidates) {
  EXPECT_EQ(problems_of({"--num", "5"}),
            "ambiguous option --num: it could be --num_epochs, --num_global_views, --num_local_views, --num_threads, "
            "--num_workers");
  EXPECT_EQ(problems_of({"--max_=5"}),
            "ambiguous option --max_: it could be --max_images, --max_bad_images, --max_steps");
  EXPECT_EQ(problems_of({"--dataset", "x"}),
            "ambiguous option --dataset: it could be --dataset_path, --dataset_name, --dataset_url, --dataset_md5");
}

TEST(Spellings, AnUnknownOneNamesTheNearest) {
  EXPECT_EQ(problems_of({"--lerning_rate", "1"}), "unknown option --lerning_rate; did you mean --learning_rate?");
  EXPECT_EQ(problems_of({"--batchsize=1"}), "unknown option --batchsize; did you mean --batch_size?");
  EXPECT_EQ(problems_of({"-num_epochs", "5"}), "unknown option -num_epochs; did you mean --num_epochs?");
  EXPECT_EQ(problems_of({"-lr3e-4"}), "unknown option -lr3e-4; did you mean -lr?");
  EXPECT_EQ(problems_of({"--qqqqqqqqqqqqqq"}), "unknown option --qqqqqqqqqqqqqq; --help lists all");
  EXPECT_THAT(problems_of({"--=3"}), HasSubstr("unknown option --"));
  EXPECT_THAT(problems_of({"-x"}), HasSubstr("unknown option -x"));
}

TEST(Spellings, AValueThatIsMissingIsAnError) {
  EXPECT_EQ(problems_of({"--gamma"}), "--gamma needs a value, a number from 0 to 1");
  EXPECT_EQ(problems_of({"--tf32"}), "--tf32 needs a value, on or off");
  EXPECT_EQ(problems_of({"-lr"}), "-lr needs a value, a number of at least 0");
  EXPECT_EQ(problems_of({"--config"}), "--config needs a value");
  EXPECT_EQ(problems_of({"--gamma", "--alpha", "1"}), "--gamma needs a value, a number from 0 to 1");
  EXPECT_THAT(problems_of({"--gamma", "--", "-1"}), HasSubstr("--gamma needs a value"));
  EXPECT_EQ(problems_of({"--gamma", "--"}),
            "--gamma needs a value, a number from 0 to 1; one that begins with a dash is written --gamma=--");
  EXPECT_THAT(
      problems_of({"--dataset_path", "-data"}),
      HasSubstr("--dataset_path needs a value, a folder; one that begins with a dash is written --dataset_path=-data"));
}

TEST(Spellings, ASwitchTakesNothingButTrueAndFalse) {
  EXPECT_EQ(problems_of({"--use_siglip=1"}), "--use_siglip=1: must be true or false, or --use_siglip alone");
  EXPECT_EQ(problems_of({"--use_siglip="}), "--use_siglip=: must be true or false, or --use_siglip alone");
}

TEST(Spellings, ReportsAllThatIsWrongAtOnce) {
  EXPECT_EQ(problems_of({"--gama", "1", "--num", "5", "--alpha", "2", "-b"}),
            "unknown option --gama; did you mean --gamma?\n"
            "ambiguous option --num: it could be --num_epochs, --num_global_views, --num_local_views, --num_threads, "
            "--num_workers\n-b needs a value, an integer of at least 2");
}

}  // namespace
}  // namespace relic
