// Lets a standard descriptor go somewhere else for a while.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace relic::testing {

class Redirected {
 public:
  Redirected(int descriptor, const std::filesystem::path& path)
      : Redirected(descriptor, ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) {}

  /// Takes `replacement` over.
  Redirected(int descriptor, int replacement) : descriptor_(descriptor), saved_(::dup(descriptor)) {
    std::fflush(nullptr);
    if (replacement < 0 || saved_ < 0 || ::dup2(replacement, descriptor) < 0) {
      throw std::runtime_error("cannot redirect");
    }
    ::close(replacement);
  }
  ~Redirected() {
    std::fflush(nullptr);
    ::dup2(saved_, descriptor_);
    ::close(saved_);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

 private:
  int descriptor_;
  int saved_;
};

}  // namespace relic::testing
