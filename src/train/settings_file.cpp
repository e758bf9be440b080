#include "relic/train/settings_file.h"

#include <algorithm>
#include <locale>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include <toml++/toml.h>

#include "relic/core/file.h"
#include "relic/core/nearest_name.h"
#include "relic/train/settings.h"

namespace relic {
namespace {

std::string toml_text(const toml::node& node) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  node.visit([&text](const auto& value) { text << value; });
  return text.str();
}

/// The value as its setting reads it from text; empty where its type is not the setting's.
std::optional<std::string> value_text(const Setting& row, const toml::node& node) {
  switch (row.kind) {
    case SettingKind::flag:
      if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
      break;
    case SettingKind::real:
      if (node.is_floating_point()) return toml_text(node);
      [[fallthrough]];
    case SettingKind::integer:
      if (const auto* value = node.as_integer()) return std::to_string(value->get());
      break;
    case SettingKind::text:
    case SettingKind::path:
      if (const auto* value = node.as_string()) return value->get();
      break;
  }
  return std::nullopt;
}

std::string kind_name(SettingKind kind) {
  switch (kind) {
    case SettingKind::flag:
      return "true or false";
    case SettingKind::integer:
      return "an integer";
    case SettingKind::real:
      return "a number";
    case SettingKind::text:
    case SettingKind::path:
      break;
  }
  return "text in quotes";
}

std::string unknown_key(const std::string& key) {
  std::vector<std::string> names;
  for (const Setting& row : train_settings()) names.push_back(row.name);
  const std::string nearest = nearest_name(key, names);
  return "unknown setting " + key +
         (nearest.empty() ? "; relic_train --help lists them" : "; did you mean " + nearest + "?");
}

/// Sets one entry of a file in `config`, unless something is wrong with it: then that is returned. Of an entry that is
/// overruled the type alone is checked.
std::string set_entry(const std::string& key, const toml::node& node, bool overruled, TrainConfig& config) {
  const Setting* const row = find_setting(key);
  if (row == nullptr) return unknown_key(key);
  const std::optional<std::string> text = value_text(*row, node);
  if (!text) return key + " = " + toml_text(node) + ": must be " + kind_name(row->kind);
  TrainConfig changed = config;
  try {
    row->set(changed, *text);
  } catch (const UsageError& error) {
    return error.what();
  }
  if (overruled) return {};
  std::string problem = row->problem(changed);
  if (problem.empty()) config = std::move(changed);
  return problem;
}

/// Whether something stronger has chosen a value for this setting, be it by another name.
bool is_given(const std::string& key, const GivenSettings& given) {
  const Setting* const row = find_setting(key);
  return given.contains(key) || (row != nullptr && given.contains(row->rival));
}

std::string at_line(const std::string& where, toml::source_index line) {
  return where + ":" + std::to_string(line) + ": ";
}

toml::table parse(std::string_view text, const std::string& where) {
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    throw SettingsSyntaxError(at_line(where, error.source().begin.line) + std::string(error.description()));
  }
}

template <typename Value>
std::string as_toml(const Value& value) {
  return toml_text(toml::value<Value>(value));
}

std::string value_toml(const Setting& row, const TrainConfig& config) {
  std::string text = row.get(config);
  switch (row.kind) {
    case SettingKind::flag:
    case SettingKind::integer:
      return text;
    case SettingKind::real:
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    case SettingKind::text:
    case SettingKind::path:
      break;
  }
  return as_toml(text);
}

}  // namespace

void apply_settings_file(const std::filesystem::path& path, TrainConfig& config, GivenSettings& given) {
  apply_settings(read_file(path), path.string(), config, given);
}

void apply_settings(std::string_view toml, const std::string& where, TrainConfig& config, GivenSettings& given) {
  const toml::table entries = parse(toml, where);
  const GivenSettings before = given;
  std::multimap<toml::source_index, std::string> problems;  // by line
  for (const auto& [toml_key, node] : entries) {
    const std::string key(toml_key.str());
    const std::string problem = set_entry(key, node, is_given(key, before), config);
    if (problem.empty()) {
      given.insert(key);
    } else {
      const toml::source_index line = toml_key.source().begin.line;
      problems.emplace(line, at_line(where, line) + problem);
    }
  }
  std::vector<std::string> lines;
  for (auto& [line, problem] : problems) lines.push_back(std::move(problem));
  require_no_problems(lines);
}

std::string settings_toml(const TrainConfig& config) {
  std::string text = "# Settings of a run of relic_train; --config reads them.\n";
  std::string group;
  for (const Setting& row : train_settings()) {
    if (!row.recorded || row.get(config).empty()) continue;
    if (row.group != group) {
      group = row.group;
      text += "\n# " + group + "\n";
    }
    text += row.name + " = " + value_toml(row, config) + "\n";
  }
  return text;
}

void write_settings_file(const std::filesystem::path& path, const TrainConfig& config) {
  write_file(path, settings_toml(config));
}

}  // namespace relic
