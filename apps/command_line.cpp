#include "command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "argv.h"
#include "command.h"
#include "help_text.h"
#include "relic/core/error.h"
#include "relic/train/settings.h"
#include "version.h"

namespace relic {
namespace {

/// What was typed, by long option; the last one where there are several.
struct Typed {
  std::map<std::string, std::string, std::less<>> values;
  std::vector<std::string> others;  // arguments that belong to no option
};

Typed read_options(const Command& command, const std::vector<std::string>& arguments,
                   std::vector<std::string>& problems) {
  CLI::App parser;
  parser.set_help_flag();
  parser.allow_extras();
  std::map<std::string, CLI::Option*> options;
  std::map<std::string, std::string> unused;
  for (const CommandOption& option : command.options) {
    const std::string& name = option.spelling.name;
    options[name] =
        option.spelling.takes_value ? parser.add_option(name, unused[name]) : parser.add_flag(name, unused[name]);
    options[name]->take_last();
  }
  std::vector<std::string> tokens = normalize_arguments(arguments, option_spellings(command), problems);
  std::reverse(tokens.begin(), tokens.end());  // CLI11 takes them from the back
  try {
    parser.parse(tokens);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  Typed typed;
  for (const auto& [name, option] : options) {
    if (!option->empty()) typed.values[name] = option->results().back();
  }
  typed.others = parser.remaining();
  if (!typed.others.empty()) typed.others.erase(typed.others.begin());  // the "--" before them
  return typed;
}

void apply_values(const Typed& typed, CommandLine& line) {
  for (const Setting& row : train_settings()) {
    const auto value = typed.values.find("--" + row.name);
    if (value == typed.values.end()) continue;
    line.given.insert(row.name);
    try {
      row.set(line.config, value->second);
    } catch (const UsageError& error) {
      line.problems.emplace_back(error.what());
      line.unread.insert(row.name);
    }
  }
}

/// A file that cannot be read at all ends the search for problems: what it would have set is unknown.
void apply_config_file(const std::filesystem::path& path, CommandLine& line) {
  try {
    std::error_code unreadable;
    if (!std::filesystem::exists(path, unreadable) || std::filesystem::is_directory(path, unreadable)) {
      throw SettingsSyntaxError("--config " + (path.empty() ? "''" : path.string()) + ": must be an existing file");
    }
    apply_settings_file(path, line.config, line.given);
  } catch (const SettingsSyntaxError& error) {
    line.problems.emplace_back(error.what());
    require_no_problems(line.problems);
  } catch (const UsageError& error) {
    line.problems.emplace_back(error.what());
  }
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const Command& command = train_command();
  CommandLine line;
  const Typed typed = read_options(command, arguments, line.problems);
  const auto is_on = [&typed](const char* flag) {
    const auto value = typed.values.find(flag);
    return value != typed.values.end() && value->second == "true";
  };
  if (is_on("--help")) {
    line.text = help_text(command);
    return line;
  }
  if (is_on("--version")) {
    line.text = version_text();
    return line;
  }
  for (const std::string& other : typed.others) {
    line.problems.push_back("unexpected argument '" + other + "': every setting is an option, see --help");
  }
  apply_values(typed, line);
  const auto file = typed.values.find("--config");
  if (file != typed.values.end()) apply_config_file(file->second, line);
  return line;
}

}  // namespace relic
