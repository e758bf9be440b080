// Errors that a user can cause: one clear line each.
#pragma once

#include <stdexcept>
#include <string>

namespace relic {

/// Something went wrong that the user can know about and act on. The message is one line: what was wrong, where (path,
/// flag, byte offset), what to do. `main` prints it and returns 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The command line or a settings file asks for something impossible; `main` returns 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// A long computation was asked to stop and did.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

}  // namespace relic
