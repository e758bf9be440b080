// What a process can be kept from, as ulimit does it.
#pragma once

#include <sys/resource.h>

namespace relic::testing {

/// A limit of this process (RLIMIT_NOFILE, …), lifted when it goes; it binds root, too.
class ResourceLimit {
 public:
  ResourceLimit(int resource, rlim_t most) : resource_(resource) {
    ::getrlimit(resource_, &before_);
    const rlimit limit{most, before_.rlim_max};
    ::setrlimit(resource_, &limit);
  }
  ~ResourceLimit() { ::setrlimit(resource_, &before_); }
  ResourceLimit(const ResourceLimit&) = delete;
  ResourceLimit& operator=(const ResourceLimit&) = delete;

 private:
  int resource_;
  rlimit before_{};
};

}  // namespace relic::testing
