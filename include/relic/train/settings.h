// Every setting declared once: flag, help, default, range, how it is written to and read from text. Command line,
// settings file, --help and validation all come from this table.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relic/train/config.h"

namespace relic {

enum class SettingKind { flag, integer, real, text, path };

/// What is declared of a setting.
struct SettingRow {
  std::string name{};                  ///< long flag without dashes, and key of the settings file
  std::vector<std::string> aliases{};  ///< other spellings with their dashes: "-b", "-lr"
  std::string group{};                 ///< heading in --help
  std::string placeholder{};           ///< what stands for the value in --help: "N", "DIR"; empty for a flag
  std::string help{};                  ///< a sentence or two; with the unit where there is one
  std::string default_help{};          ///< the default in words; empty: as `get` writes it
  SettingKind kind = SettingKind::text;
  std::vector<std::string> choices{};  ///< values that can be used; empty: any
  std::string allowed{};               ///< "an integer of at least 2"
  bool original = false;               ///< a flag of relic-pytorch
  std::string rival{};                 ///< another setting of the same thing: the source that counts gives either
  bool recorded = true;                ///< part of settings.toml (paths and one-off switches are not)
};

/// And how it is read, written and checked in the configuration that it belongs to.
template <class Config>
struct SettingOf : SettingRow {
  /// Reads a value. Throws UsageError (flag, value, what is allowed) where the text is of another type; `problem` tells
  /// of a value out of range.
  std::function<void(Config&, const std::string&)> set{};
  std::function<std::string(const Config&)> get{};      ///< text that `set` reads back to the same value
  std::function<std::string(const Config&)> problem{};  ///< one line, or empty; look at several by find_problems
};

using Setting = SettingOf<TrainConfig>;

using SettingNames = std::set<std::string, std::less<>>;

/// In the order of --help: the original's first.
std::span<const Setting> train_settings();

/// The setting of that name, or null.
const Setting* find_setting(std::string_view name);

/// What is out of range on its own, one line each, but for the settings in `unread`.
template <class Config>
std::vector<std::string> find_row_problems(std::span<const SettingOf<Config>> rows, const Config& config,
                                           const SettingNames& unread) {
  std::vector<std::string> problems;
  for (const SettingOf<Config>& row : rows) {
    if (unread.contains(row.name)) continue;
    std::string problem = row.problem(config);
    if (!problem.empty()) problems.push_back(std::move(problem));
  }
  return problems;
}

/// Every problem of a configuration that can be told without the data set or the machine, one line each, naming flag,
/// value and what is allowed. Nothing is said of the settings in `unread`, whose values are not what was asked for.
std::vector<std::string> find_problems(const TrainConfig& config, const SettingNames& unread = {});

/// Throws one UsageError that holds all of them, a line each. Does nothing where there are none.
void require_no_problems(const std::vector<std::string>& problems);

}  // namespace relic
