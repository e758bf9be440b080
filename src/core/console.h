// Standard output and error of a process, with a progress line below what is printed.
#pragma once

#include <string>
#include <string_view>

namespace relic {

/// Prints lines; on a terminal keeps one progress line under them. Not safe to call from several threads.
class Console {
 public:
  Console();
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// `text` ends with a newline. Failures to write are ignored: there is nobody to tell.
  void print(bool to_stderr, std::string_view text);
  void progress(std::string_view line);
  [[nodiscard]] bool has_terminal() const { return has_terminal_; }

 private:
  void draw();

  bool has_terminal_ = false;
  std::string progress_;
};

/// The first `columns` characters of UTF-8 text, of text with two spaces between fields only whole fields; control
/// characters become spaces.
std::string cut_to_width(std::string_view text, std::size_t columns);

}  // namespace relic
