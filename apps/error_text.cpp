#include "error_text.h"

#include <new>

#include "relic/core/error.h"

namespace relic {

std::string error_text(const std::exception& error) {
  std::string message = error.what();
  if (dynamic_cast<const Error*>(&error) != nullptr) {
    return message;
  }
  std::string line = message.substr(0, message.find('\n'));  // LibTorch's go on with a backtrace
  // LibTorch's allocator on the CPU has no error of its own, nor has oneDNN.
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr || line.find("CPUAllocator") != std::string::npos ||
      line.find("could not create a primitive") != std::string::npos) {
    return "out of memory; a smaller --batch_size, --max_images or projector needs less, and --dry_run tells how much";
  }
  return line;
}

}  // namespace relic
