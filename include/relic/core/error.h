// Errors that a user can cause: one clear line each.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace relic {

/// Something went wrong that the user can know about and act on. The message is one line: what was wrong, where (path,
/// flag, byte offset), what to do. `main` prints it, control characters of names in it escaped, and returns 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The command line or a settings file asks for something impossible, in one respect or in several: a line for each.
/// `main` returns 2.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& line) : UsageError(std::vector{line}) {}
  explicit UsageError(std::vector<std::string> lines) : Error(joined(lines)), lines_(std::move(lines)) {}

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  static std::string joined(const std::vector<std::string>& lines) {
    std::string all;
    for (const std::string& line : lines) all += (all.empty() ? "" : "\n") + line;
    return all;
  }

  std::vector<std::string> lines_;
};

/// A long computation was asked to stop and did.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

}  // namespace relic
