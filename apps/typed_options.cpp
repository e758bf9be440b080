#include "typed_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "argv.h"
#include "help_text.h"
#include "version.h"

namespace relic {
namespace {

/// The values; arguments that belong to no option go to `others`.
std::map<std::string, std::string, std::less<>> parse(const Command& command, std::vector<std::string> tokens,
                                                      std::vector<std::string>& others) {
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
  std::ranges::reverse(tokens);  // CLI11 takes them from the back
  try {
    parser.parse(tokens);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  std::map<std::string, std::string, std::less<>> values;
  for (const auto& [name, option] : options) {
    if (!option->empty()) values[name] = option->results().back();
  }
  others = parser.remaining();
  if (!others.empty()) others.erase(others.begin());  // the "--" before them
  return values;
}

}  // namespace

TypedOptions read_options(const Command& command, std::span<const std::string> arguments) {
  TypedOptions typed;
  std::vector<std::string> others;
  typed.values = parse(command, normalize_arguments(arguments, option_spellings(command), typed.problems), others);
  const auto is_on = [&typed](const char* flag) {
    const auto value = typed.values.find(flag);
    return value != typed.values.end() && value->second == "true";
  };
  if (is_on("--help")) {
    typed.text = help_text(command);
  } else if (is_on("--version")) {
    typed.text = version_text();
  }
  for (const std::string& other : others) {
    typed.problems.push_back("unexpected argument '" + other + "': every setting is an option, see --help");
  }
  return typed;
}

}  // namespace relic
