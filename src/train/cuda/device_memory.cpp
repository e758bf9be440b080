#include "relic/train/device_memory.h"

#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>

namespace relic {

std::int64_t peak_device_bytes(const torch::Device& device) {
  if (!device.is_cuda()) return 0;
  constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return c10::cuda::CUDACachingAllocator::getDeviceStats(device.index()).reserved_bytes[all].peak;
}

void release_device_memory(const torch::Device& device) {
  if (device.is_cuda()) c10::cuda::CUDACachingAllocator::emptyCache();
}

std::int64_t free_device_bytes(const torch::Device& device) {
  if (!device.is_cuda()) return 0;
  const c10::DeviceGuard guard(device);
  std::size_t free = 0;
  std::size_t total = 0;
  return cudaMemGetInfo(&free, &total) == cudaSuccess ? static_cast<std::int64_t>(free) : 0;
}

}  // namespace relic
