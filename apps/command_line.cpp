#include "command_line.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "command.h"
#include "relic/core/error.h"
#include "relic/train/settings.h"
#include "typed_options.h"

namespace relic {
namespace {

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
    line.problems.insert(line.problems.end(), error.lines().begin(), error.lines().end());
  }
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  TypedOptions typed = read_options(train_command(), arguments);
  CommandLine line;
  line.text = std::move(typed.text);
  if (!line.text.empty()) return line;
  line.problems = std::move(typed.problems);
  apply_options(typed, train_settings(), line.config, line.given, line.unread, line.problems);
  const auto file = typed.values.find("--config");
  if (file != typed.values.end()) apply_config_file(file->second, line);
  return line;
}

}  // namespace relic
