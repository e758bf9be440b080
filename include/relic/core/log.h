// What a training says: lines to the console and a file, and one progress line on a terminal.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace relic {

enum class LogLevel { debug, info, warning, error };

/// Lines below `console_level` go to the file alone. Information goes to stdout as it is, warnings and errors to stderr
/// after "warning: " and "error: "; where stdout is a terminal, `progress` keeps one line at the bottom that the next
/// call replaces, elsewhere it does nothing. Safe to call from several threads. A closed stdout or a full log disk
/// never throws; a log file that cannot be written is reported once on stderr.
class Log {
 public:
  explicit Log(LogLevel console_level = LogLevel::info);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Also write every line, with time and level, to this file (appended). Throws Error if it cannot be opened.
  void open_file(const std::filesystem::path& path);

  void debug(const std::string& line) { write(LogLevel::debug, line); }
  void info(const std::string& line) { write(LogLevel::info, line); }
  void warning(const std::string& line) { write(LogLevel::warning, line); }
  void error(const std::string& line) { write(LogLevel::error, line); }
  /// An error for the file alone: somebody else prints it.
  void note(const std::string& line);

  /// Replaces the progress line; cut to the terminal's width. An empty line removes it. Above level info there is none.
  void progress(const std::string& line);
  /// Whether stdout is a terminal that can redraw a line (not TERM=dumb).
  [[nodiscard]] bool has_terminal() const;

 private:
  void write(LogLevel level, const std::string& line);
  struct Sinks;
  std::unique_ptr<Sinks> sinks_;
};

}  // namespace relic
