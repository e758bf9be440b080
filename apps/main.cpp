// relic_train: the program. Exit status 0, 1 for what went wrong on the way, 2 for what was asked for wrongly.
#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "command_line.h"
#include "error_text.h"
#include "eval_commands.h"
#include "print.h"
#include "relic/core/error.h"
#include "relic/core/heap.h"
#include "relic/core/nearest_name.h"
#include "relic/core/text.h"
#include "train_command.h"

namespace {

void complain(const std::string& line) { std::cerr << "relic_train: " << relic::one_line(line) << '\n'; }

/// A process may start without standard descriptors; the next file that it opens would get their numbers and be
/// printed into.
void open_missing_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is given out, so it is this one.
    if (::fcntl(descriptor, F_GETFD) < 0) ::open("/dev/null", O_RDWR);
  }
}

int run(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word == "probe") return relic::run_probe({argv + 2, argv + argc});
  if (word == "embed") return relic::run_embed({argv + 2, argv + argc});
  if (!word.empty() && word[0] != '-') {
    const std::vector<std::string> commands{"probe", "embed"};
    const std::string nearest = relic::nearest_name(word, commands);
    throw relic::UsageError("unknown command '" + word + "'" +
                            (nearest.empty() ? "." : ": did you mean " + nearest + "?") +
                            " Commands are probe and embed; without one, options alone, it trains (--help)");
  }
  const relic::CommandLine line = relic::parse_command_line(argc, argv);
  if (line.text.empty()) return relic::run_training(line);
  relic::print(line.text);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  open_missing_descriptors();
  relic::keep_freed_memory();
  try {
    return run(argc, argv);
  } catch (const relic::UsageError& error) {
    for (const std::string& line : error.lines()) complain(line);
    return 2;
  } catch (const std::exception& error) {
    complain(relic::error_text(error));
    return 1;
  }
}
