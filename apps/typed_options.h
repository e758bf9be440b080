// What was typed after a command, by option.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "command.h"
#include "relic/core/error.h"
#include "relic/train/settings.h"

namespace relic {

struct TypedOptions {
  /// Asked for by --help or --version: print it and do nothing else. Empty otherwise.
  std::string text;
  /// By long option; the last one where there are several.
  std::map<std::string, std::string, std::less<>> values;
  /// Unknown or ambiguous options, missing values, stray arguments.
  std::vector<std::string> problems;
};

TypedOptions read_options(const Command& command, std::span<const std::string> arguments);

/// Sets what was typed. `given` gets the names of all those settings, `unread` of those whose values could not be read,
/// which `problems` tells.
template <class Config>
void apply_options(const TypedOptions& typed, std::span<const SettingOf<Config>> rows, Config& config,
                   SettingNames& given, SettingNames& unread, std::vector<std::string>& problems) {
  for (const SettingOf<Config>& row : rows) {
    const auto value = typed.values.find("--" + row.name);
    if (value == typed.values.end()) continue;
    given.insert(row.name);
    try {
      row.set(config, value->second);
    } catch (const UsageError& error) {
      problems.emplace_back(error.what());
      unread.insert(row.name);
    }
  }
}

}  // namespace relic
