// What the program can be asked to do, and with which options.
#pragma once

#include <string>
#include <vector>

#include "argv.h"

namespace relic {

struct CommandOption {
  OptionSpelling spelling;
  std::string group;           ///< heading in --help
  std::string placeholder{};   ///< what stands for the value in --help; empty for a flag
  std::string help{};          ///< one sentence, without a full stop
  std::string default_text{};  ///< empty: none worth showing
  std::vector<std::string> choices{};
};

/// A command with its options in the order of --help. `usage` is the first line of its --help.
struct Command {
  std::string usage;
  std::vector<std::string> summary;  ///< paragraphs
  std::vector<CommandOption> options;
};

/// relic_train without a subcommand: the settings of a training, --config, --help, --version.
const Command& train_command();
/// relic_train probe, relic_train embed.
const Command& probe_command();
const Command& embed_command();

std::vector<OptionSpelling> option_spellings(const Command& command);

}  // namespace relic
