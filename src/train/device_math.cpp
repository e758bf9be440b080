#include "train/device_math.h"

#include <ATen/Context.h>

namespace relic {

namespace {

DeviceMath current() {
  const auto& context = at::globalContext();
  return {context.allowTF32CuDNN(), context.allowTF32CuBLAS(), context.benchmarkCuDNN()};
}

void set(const DeviceMath& math) {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(math.tf32_convolutions);
  context.setAllowTF32CuBLAS(math.tf32_products);
  context.setBenchmarkCuDNN(math.benchmark);
}

}  // namespace

DeviceMath device_math(const TrainConfig& config, const Runtime& runtime) {
  if (!config.compat.empty()) return {.tf32_convolutions = runtime.tf32};
  // Where the networks are in 16 bits, the products left in float32 are the loss's.
  return {.tf32_convolutions = runtime.tf32,
          .tf32_products = runtime.tf32 && !runtime.autocast,
          .benchmark = !config.deterministic};
}

DeviceMathScope::DeviceMathScope(const DeviceMath& math) : before_(current()) { set(math); }

DeviceMathScope::~DeviceMathScope() { set(before_); }

}  // namespace relic
