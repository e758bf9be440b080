// relic_train: the program. Exit status 0, 1 for what went wrong on the way, 2 for what was asked for wrongly.
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

#include "command_line.h"
#include "relic/core/error.h"
#include "train_command.h"

namespace {

void complain(const std::string& message) {
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) std::cerr << "relic_train: " << line << '\n';
}

int print(const std::string& text) {
  std::cout << text << std::flush;
  if (!std::cout) throw relic::Error("standard output cannot be written to");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const relic::CommandLine line = relic::parse_command_line(argc, argv);
    return line.text.empty() ? relic::run_training(line) : print(line.text);
  } catch (const relic::UsageError& error) {
    complain(error.what());
    return 2;
  } catch (const relic::Error& error) {
    complain(error.what());
    return 1;
  } catch (const std::exception& error) {
    const std::string message = error.what();
    complain(message.substr(0, message.find('\n')));  // LibTorch's go on with a backtrace
    return 1;
  }
}
