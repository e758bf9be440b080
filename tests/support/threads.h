#pragma once

#include <ATen/Parallel.h>

namespace relic::testing {

/// So many threads of LibTorch's, whatever the environment asks for, for a scope.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace relic::testing
