// Settings as TOML: what a run records, and what --config reads.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "relic/core/error.h"
#include "relic/train/config.h"
#include "relic/train/settings.h"

namespace relic {

/// Names of the settings that a user chose, on the command line or in a file, whose values nothing weaker may replace.
using GivenSettings = SettingNames;

/// TOML that cannot be parsed, so that nothing is known of the settings in it.
class SettingsSyntaxError : public UsageError {
 public:
  using UsageError::UsageError;
};

/// Sets what the TOML file holds and `given` does not, then adds those names to `given`: files applied one after
/// another give way to those before, and all of them to the command line; a setting gives way to its rival
/// (Setting::rival), too. Keys are the names of flags; values are typed
/// (an integer serves as a real, nothing else is converted). Ranges are for find_problems. Throws, once all entries
/// that are fine are applied, one UsageError with a line for each that is not, with file and line: unknown keys with
/// the nearest name, values of another type. Throws SettingsSyntaxError for broken TOML, Error if the file cannot be
/// read.
void apply_settings_file(const std::filesystem::path& path, TrainConfig& config, GivenSettings& given);

/// The same for TOML that comes from elsewhere, e.g. from a checkpoint; `where` stands in the messages for the path.
void apply_settings(std::string_view toml, const std::string& where, TrainConfig& config, GivenSettings& given);

/// The recorded settings as TOML that apply_settings_file reads back to the same values. Text that is empty is left
/// out, as are settings that name a path or concern one start only (see Setting::recorded).
std::string settings_toml(const TrainConfig& config);

/// settings_toml in a file, written whole or not at all.
void write_settings_file(const std::filesystem::path& path, const TrainConfig& config);

}  // namespace relic
