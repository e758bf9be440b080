// How a GPU computes.
#pragma once

#include "relic/train/config.h"
#include "relic/train/runtime.h"

namespace relic {

/// LibTorch's switches, at its own defaults. On a CPU they mean nothing.
struct DeviceMath {
  bool tf32_convolutions = true;  ///< float32 factors cut to TF32's 10 bits, on the matrix units
  bool tf32_products = false;     ///< the same of matrix products
  bool benchmark = false;         ///< cuDNN tries its algorithms for each new shape, and keeps the fastest
};

/// What a training step is computed with; `compat` keeps LibTorch's own choices, but for `tf32` off.
DeviceMath device_math(const TrainConfig& config, const Runtime& runtime);

/// Sets them for a scope.
class DeviceMathScope {
 public:
  explicit DeviceMathScope(const DeviceMath& math);
  ~DeviceMathScope();
  DeviceMathScope(const DeviceMathScope&) = delete;
  DeviceMathScope& operator=(const DeviceMathScope&) = delete;

 private:
  DeviceMath before_;
};

}  // namespace relic
