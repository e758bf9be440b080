// Every setting declared once: flag, help, default, how it is written to and read from text. Command line, settings
// file, --help and validation all come from this table.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "relic/train/config.h"

namespace relic {

enum class SettingKind { flag, integer, real, text, path };

struct Setting {
  std::string name;                  ///< long flag without dashes, and key of the settings file
  std::vector<std::string> aliases;  ///< other spellings with their dashes: "-b", "-lr"
  std::string group;                 ///< heading in --help
  std::string help;                  ///< one line; with the unit where there is one
  SettingKind kind = SettingKind::text;
  std::vector<std::string> choices;  ///< empty: any
  bool original = false;             ///< a flag of relic-pytorch
  bool recorded = true;              ///< part of settings.toml (directories and one-off switches are not)
  std::function<void(TrainConfig&, const std::string&)> set;  ///< throws UsageError: flag, value, what is allowed
  std::function<std::string(const TrainConfig&)> get;         ///< text that `set` reads back to the same value
};

/// In the order of --help: the original's first.
std::span<const Setting> train_settings();

/// Every problem of a configuration that can be told without opening files, one line each, naming flag, value and what
/// is allowed.
std::vector<std::string> find_problems(const TrainConfig& config);

}  // namespace relic
