// How files are opened here.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string_view>

namespace relic {

/// A descriptor, closed on exec. Throws Error: "cannot WHAT PATH: reason; what to do".
int open_or_fail(std::string_view what, const std::filesystem::path& path, int flags);

/// Closes on leaving a scope.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() { ::close(descriptor_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace relic
