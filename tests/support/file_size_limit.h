// A full disk, as far as a process can make itself one.
#pragma once

#include <csignal>

#include "support/resource_limit.h"

namespace relic::testing {

/// A limit on the size of the files that this process writes, as ulimit -f sets it, lifted when it goes.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : limit_(RLIMIT_FSIZE, bytes) { std::signal(SIGXFSZ, SIG_IGN); }

 private:
  ResourceLimit limit_;
};

}  // namespace relic::testing
