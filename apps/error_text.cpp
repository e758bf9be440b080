#include "error_text.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
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

bool is_out_of_gpu_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) {
    return true;
  }
  const std::string message = error.what();
  return std::ranges::any_of(std::array{": out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED",
                                        "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"},
                             [&message](const char* words) { return message.find(words) != std::string::npos; });
}

}  // namespace relic
