#include "train/device_name.h"

#include <cuda_runtime_api.h>

namespace relic {

std::string device_name(const torch::Device& device) {
  cudaDeviceProp properties{};
  const bool known = cudaGetDeviceProperties(&properties, device.index()) == cudaSuccess;
  return known ? static_cast<const char*>(properties.name) : device.str();
}

}  // namespace relic
