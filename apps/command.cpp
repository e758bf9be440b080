#include "command.h"

#include <utility>

#include "relic/train/settings.h"

namespace relic {
namespace {

CommandOption option_for(const Setting& row) {
  const bool is_flag = row.kind == SettingKind::flag;
  CommandOption option{
      .spelling = {.name = "--" + row.name, .aliases = row.aliases, .takes_value = !is_flag, .original = row.original},
      .group = row.group,
      .placeholder = row.placeholder,
      .help = row.help,
      .default_text = row.default_help,
      .choices = row.choices};
  if (option.default_text.empty()) option.default_text = is_flag ? "off" : row.get(TrainConfig{});
  return option;
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
                  "equals sign; =false after a switch turns it off."},
      .options = {}};
  for (const Setting& row : train_settings()) command.options.push_back(option_for(row));
  const std::string group = "Settings file and help";
  command.options.push_back({.spelling = {.name = "--config"},
                             .group = group,
                             .placeholder = "FILE",
                             .help = "TOML file with settings (batch_size = 128); what is given on the command line "
                                     "goes before it",
                             .default_text = "none"});
  command.options.push_back({.spelling = {.name = "--help", .aliases = {"-h"}, .takes_value = false, .original = true},
                             .group = group,
                             .help = "print this and stop"});
  command.options.push_back({.spelling = {.name = "--version", .takes_value = false},
                             .group = group,
                             .help = "print the versions of the program, LibTorch, CUDA and the compiler, and stop"});
  return command;
}

}  // namespace

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
