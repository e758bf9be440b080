// relic_train: the program. Exit status 0, 1 for what went wrong on the way, 2 for what was asked for wrongly.
#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "command_line.h"
#include "eval_commands.h"
#include "print.h"
#include "relic/core/error.h"
#include "relic/core/heap.h"
#include "relic/core/nearest_name.h"
#include "train_command.h"

namespace {

constexpr const char* kOutOfMemory =
    "out of memory; a smaller --batch_size, --max_images or projector needs less, and --dry_run tells how much";

void complain(const std::string& message) {
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) std::cerr << "relic_train: " << line << '\n';
}

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
                            (nearest.empty() ? "" : ": did you mean " + nearest + "?") +
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
    complain(error.what());
    return 2;
  } catch (const relic::Error& error) {
    complain(error.what());
    return 1;
  } catch (const std::bad_alloc&) {
    complain(kOutOfMemory);
    return 1;
  } catch (const std::exception& error) {
    const std::string message = error.what();
    const std::string line = message.substr(0, message.find('\n'));  // LibTorch's go on with a backtrace
    // Its allocator on the CPU has no error of its own.
    const bool memory = line.find("CPUAllocator") != std::string::npos ||
                        line.find("could not create a primitive") != std::string::npos;  // oneDNN's
    complain(memory ? kOutOfMemory : line);
    return 1;
  }
}
