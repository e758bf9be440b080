#include "command.h"

#include <span>
#include <utility>

#include "eval_config.h"
#include "relic/train/settings.h"

namespace relic {
namespace {

CommandOption option_for(const SettingRow& row, const std::string& default_value) {
  const bool is_flag = row.kind == SettingKind::flag;
  CommandOption option{.spelling = {.name = "--" + row.name,
                                    .aliases = row.aliases,
                                    .takes_value = !is_flag,
                                    .allowed = row.allowed,
                                    .original = row.original},
                       .group = row.group,
                       .placeholder = row.placeholder,
                       .help = row.help,
                       .default_text = row.default_help,
                       .choices = row.choices};
  if (option.default_text.empty()) option.default_text = is_flag ? "off" : default_value;
  return option;
}

template <class Config>
std::vector<CommandOption> options_for(std::span<const SettingOf<Config>> rows) {
  std::vector<CommandOption> options;
  for (const SettingOf<Config>& row : rows) options.push_back(option_for(row, row.get(Config{})));
  return options;
}

void add_help(Command& command, const std::string& group) {
  command.options.push_back({.spelling = {.name = "--help", .aliases = {"-h"}, .takes_value = false, .original = true},
                             .group = group,
                             .help = "print this and stop"});
  command.options.push_back({.spelling = {.name = "--version", .takes_value = false},
                             .group = group,
                             .help = "print the versions of the program, LibTorch, CUDA and the compiler, and stop"});
}

Command make_train_command() {
  Command command{
      .usage = "relic_train [options]",
      .summary = {"Trains an image encoder without labels, by ReLIC (arXiv 2010.07922): views of one image are "
                  "to be told from those of others, whatever their crop, colour and blur. Writes "
                  "relic_model.pth and encoder.pth to the run's folder. Example:",
                  "relic_train --dataset_name shapes --num_epochs 5 -save_model_dir runs/first",
                  "The options of relic-pytorch come first and mean what they mean there. Long options may "
                  "be cut to an unambiguous beginning (--num_ep 5); a value follows after a space or an "
                  "equals sign; =false after a switch turns it off.",
                  "What a trained encoder is good for is told by relic_train probe, its features are written by "
                  "relic_train embed; both have a --help of their own."},
      .options = options_for(train_settings())};
  command.summary.emplace_back(
      "A signal saves and stops: exit status 128 + its number, or 75 (to be queued again with --resume) for SIGUSR1 "
      "and SIGUSR2. Otherwise it is 0, 1 for what went wrong, 2 for what was asked for wrongly.");
  const std::string group = "Settings file and help";
  command.options.push_back({.spelling = {.name = "--config"},
                             .group = group,
                             .placeholder = "FILE",
                             .help = "TOML file with settings (batch_size = 128); what is given on the command line "
                                     "goes before it",
                             .default_text = "none"});
  add_help(command, group);
  return command;
}

Command make_probe_command() {
  Command command{
      .usage = "relic_train probe --encoder RUN|FILE [options]",
      .summary = {"Tells how good an encoder is: features of the labelled images, with the encoder frozen, then "
                  "logistic regression and nearest neighbours on them. Example:",
                  "relic_train probe --encoder runs/cifar10 --dataset_name cifar10"},
      .options = options_for(probe_settings())};
  add_help(command, "Help");
  return command;
}

Command make_embed_command() {
  Command command{.usage = "relic_train embed --encoder RUN|FILE --out FILE.npy [options]",
                  .summary = {"Writes an encoder's features of a data set's images, for NumPy. Example:",
                              "relic_train embed --encoder runs/cifar10 --dataset_name folder --dataset_path photos "
                              "--split pretraining --out photos.npy"},
                  .options = options_for(embed_settings())};
  add_help(command, "Help");
  return command;
}

}  // namespace

const Command& probe_command() {
  static const Command command = make_probe_command();
  return command;
}

const Command& embed_command() {
  static const Command command = make_embed_command();
  return command;
}

const Command& train_command() {
  static const Command command = make_train_command();
  return command;
}

std::vector<OptionSpelling> option_spellings(const Command& command) {
  std::vector<OptionSpelling> spellings;
  for (const CommandOption& option : command.options) spellings.push_back(option.spelling);
  return spellings;
}

}  // namespace relic
