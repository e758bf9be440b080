// What the ways to compute a convolution share: tensors as arrays, and how autograd sees them.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "nn/convolutions/ways.h"
#include "nn/cpu/channels.h"

namespace relic::cpu_convolutions {

inline torch::Tensor channels_last(const torch::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

inline torch::Tensor empty_images(const torch::Tensor& like, std::int64_t channels, std::int64_t height,
                                  std::int64_t width) {
  return torch::empty({like.size(0), channels, height, width},
                      like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

/// The memory of images, channels last, as [N · H · W, channels].
inline torch::Tensor pixels_of(const torch::Tensor& images) { return images.permute({0, 2, 3, 1}).flatten(0, 2); }

/// The same in float32, of images in any layout.
inline torch::Tensor float_pixels_of(const torch::Tensor& images) {
  return pixels_of(channels_last(images)).to(torch::kFloat);
}

/// Makes a matrix, `to`, a · b, which are float32.
inline void write_product(torch::Tensor to, const torch::Tensor& a, const torch::Tensor& b) {
  if (to.scalar_type() == torch::kFloat) {
    at::mm_out(to, a, b);
  } else {
    to.copy_(at::mm(a, b));
  }
}

/// Calls use(value) with a value of the type that tensors of `type` hold, float or Bfloat16.
template <typename Use>
void with_value_of(torch::ScalarType type, const Use& use) {
  if (type == torch::kFloat) {
    use(float{});
  } else {
    TORCH_CHECK(type == torch::kBFloat16, "images must be float32 or bfloat16");
    use(Bfloat16{});
  }
}

template <typename Value>
const Value* values(const torch::Tensor& x, Value /*of*/) {
  return static_cast<const Value*>(x.const_data_ptr());
}

template <typename Value>
Value* values_to_write(const torch::Tensor& x, Value /*of*/) {
  return static_cast<Value*>(x.data_ptr());
}

inline bool both(at::IntArrayRef pair, std::int64_t value) { return pair[0] == value && pair[1] == value; }

inline bool keeps_size_by_3x3(const torch::Tensor& weight, const Geometry& geometry) {
  return weight.size(2) == 3 && weight.size(3) == 3 && both(geometry.padding, 1) && both(geometry.dilation, 1);
}

inline bool keeps_size_by_1x1(const torch::Tensor& weight, const Geometry& geometry) {
  return weight.size(2) == 1 && weight.size(3) == 1 && both(geometry.padding, 0);
}

/// For the scope of a derivative, which has none itself: products in float32 stay so under autocast.
class DerivativeScope {
 public:
  DerivativeScope() { TORCH_CHECK(!torch::GradMode::is_enabled(), "this convolution has no second derivative"); }

 private:
  c10::impl::ExcludeDispatchKeyGuard no_autocast_{c10::DispatchKey::AutocastCPU};
};

/// A call of an autograd function that autocast leaves alone.
template <typename Function, typename... Arguments>
torch::Tensor apply(const Arguments&... arguments) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  return Function::apply(arguments...);
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

}  // namespace relic::cpu_convolutions
