// What is wrong with the archive around a pickle, and not with the pickle.
#pragma once

#include "relic/core/error.h"

namespace relic {

/// Its message begins with the archive's path.
class ArchiveError : public Error {
 public:
  using Error::Error;
};

/// The machine could not read it: nothing is known of what it holds.
class ReadFailure : public ArchiveError {
 public:
  using ArchiveError::ArchiveError;
};

}  // namespace relic
