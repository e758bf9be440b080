// From argv to settings.
#pragma once

#include <string>
#include <vector>

#include "relic/train/config.h"
#include "relic/train/settings_file.h"

namespace relic {

struct CommandLine {
  /// Asked for by --help or --version: print it and do nothing else. Empty otherwise.
  std::string text;
  /// Defaults, over them the file of --config, over that the command line.
  TrainConfig config;
  /// What the command line or the file set; recorded settings of a run (--resume) do not replace these.
  GivenSettings given;
  /// Unknown or ambiguous options, missing values, values that could not be read, stray arguments: reported together
  /// with what find_problems says of the rest, once all sources of settings are merged.
  std::vector<std::string> problems;
  /// Settings whose values could not be read, so that nothing else can be said of them.
  SettingNames unread;
};

/// Throws UsageError, with all problems found so far, where the file of --config cannot be read.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace relic
