#include "nn/cpu_convolutions.h"

#include <torch/torch.h>

#include <vector>

#include "nn/cpu/channels.h"
#include "nn/cpu/depthwise.h"
#include "nn/winograd/conv3x3.h"

namespace relic::cpu_convolutions {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

torch::Tensor channels_last(const torch::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

/// Calls use(value) with a value of the type that tensors of `type` hold.
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

torch::Tensor empty_images(const torch::Tensor& like, std::int64_t channels, std::int64_t height, std::int64_t width) {
  return torch::empty({like.size(0), channels, height, width},
                      like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

bool all(at::IntArrayRef values, std::int64_t value) { return values[0] == value && values[1] == value; }

bool keeps_size_by_3x3(const torch::Tensor& weight, const Geometry& geometry) {
  return weight.size(2) == 3 && weight.size(3) == 3 && all(geometry.padding, 1) && all(geometry.dilation, 1);
}

void refuse_second_derivative() {
  TORCH_CHECK(!torch::GradMode::is_enabled(), "this convolution has no second derivative");
}

/// Of images [N, in, H, W] and a weight that gives `out` channels.
winograd::ConvShape shape_of(const torch::Tensor& images, std::int64_t out) {
  return {
      .images = images.size(0), .height = images.size(2), .width = images.size(3), .in = images.size(1), .out = out};
}

torch::Tensor convolve(const torch::Tensor& images, std::int64_t out, const winograd::Taps& taps) {
  const auto shape = shape_of(images, out);
  const torch::Tensor result = empty_images(images, out, shape.height, shape.width);
  with_value_of(images.scalar_type(), [&](auto of) {
    winograd::convolve(*winograd::fastest_kernels(shape), shape, values(images, of), taps, values_to_write(result, of));
  });
  return result;
}

// Weights of minimal filters lie in memory as [out, 3, 3, in].

torch::Tensor convolution(const torch::Tensor& x, const torch::Tensor& weight) {
  const std::int64_t in = weight.size(1);
  const torch::Tensor taps = channels_last(weight);
  return convolve(x, weight.size(0),
                  {.first = taps.const_data_ptr<float>(), .row = 3 * in, .column = in, .channel = 1, .output = 9 * in});
}

/// The convolution of the outputs' gradient with the taps turned by half a circle, from `out` channels to `in`.
torch::Tensor images_gradient(const torch::Tensor& y_gradient, const torch::Tensor& weight) {
  const std::int64_t in = weight.size(1);
  const torch::Tensor taps = channels_last(weight);
  return convolve(
      y_gradient, in,
      {.first = taps.const_data_ptr<float>() + 8 * in, .row = -3 * in, .column = -in, .channel = 9 * in, .output = 1});
}

torch::Tensor weight_gradient(const torch::Tensor& x, const torch::Tensor& y_gradient) {
  const auto shape = shape_of(x, y_gradient.size(1));
  const torch::Tensor gradient = torch::empty(
      {shape.out, shape.in, 3, 3}, x.options().dtype(torch::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  with_value_of(x.scalar_type(), [&](auto of) {
    winograd::taps_gradient(*winograd::fastest_kernels(shape), shape, values(x, of), values(y_gradient, of),
                            gradient.data_ptr<float>());
  });
  return gradient;
}

class MinimalFilter : public torch::autograd::Function<MinimalFilter> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight) {
    const torch::Tensor images = channels_last(x);
    context->save_for_backward({images, weight});
    return convolution(images, weight);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    refuse_second_derivative();
    const auto saved = context->get_saved_variables();
    const torch::Tensor y_gradient = channels_last(gradients[0]);
    variable_list result(2);
    if (context->needs_input_grad(0)) result[0] = images_gradient(y_gradient, saved[1]);
    if (context->needs_input_grad(1)) result[1] = weight_gradient(saved[0], y_gradient);
    return result;
  }
};

depthwise::Shape depthwise_shape(const torch::Tensor& images, std::int64_t stride) {
  return {.images = images.size(0),
          .height = images.size(2),
          .width = images.size(3),
          .channels = images.size(1),
          .stride = stride};
}

class Depthwise : public torch::autograd::Function<Depthwise> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               std::int64_t stride) {
    const torch::Tensor images = channels_last(x);
    const torch::Tensor taps = weight.contiguous();
    context->save_for_backward({images, taps});
    context->saved_data["stride"] = stride;
    const auto shape = depthwise_shape(images, stride);
    const torch::Tensor y = empty_images(images, shape.channels, shape.out_height(), shape.out_width());
    with_value_of(x.scalar_type(), [&](auto of) {
      depthwise::convolve(shape, values(images, of), taps.const_data_ptr<float>(), values_to_write(y, of));
    });
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    refuse_second_derivative();
    const auto saved = context->get_saved_variables();
    const torch::Tensor& images = saved[0];
    const torch::Tensor& taps = saved[1];
    const torch::Tensor y_gradient = channels_last(gradients[0]);
    const auto shape = depthwise_shape(images, context->saved_data["stride"].toInt());
    variable_list result(3);
    with_value_of(images.scalar_type(), [&](auto of) {
      if (context->needs_input_grad(0)) {
        result[0] = torch::empty_like(images);
        depthwise::images_gradient(shape, values(y_gradient, of), taps.const_data_ptr<float>(),
                                   values_to_write(result[0], of));
      }
      if (context->needs_input_grad(1)) {
        result[1] = torch::empty_like(taps);
        depthwise::taps_gradient(shape, values(images, of), values(y_gradient, of), result[1].data_ptr<float>());
      }
    });
    return result;
  }
};

/// [N · H · W, channels], float32.
torch::Tensor pixels(const torch::Tensor& images) {
  return channels_last(images).permute({0, 2, 3, 1}).reshape({-1, images.size(1)}).to(torch::kFloat);
}

/// Of such pixels images as large as `like`.
torch::Tensor images_of(const torch::Tensor& pixels, const torch::Tensor& like) {
  return pixels.to(like.scalar_type())
      .view({like.size(0), like.size(2), like.size(3), pixels.size(1)})
      .permute({0, 3, 1, 2});
}

class Pointwise : public torch::autograd::Function<Pointwise> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight) {
    context->save_for_backward({x, weight});
    return images_of(at::mm(pixels(x), weight.flatten(1).t()), x);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    refuse_second_derivative();
    const auto saved = context->get_saved_variables();
    const torch::Tensor of_y = pixels(gradients[0]);
    variable_list result(2);
    if (context->needs_input_grad(0)) result[0] = images_of(at::mm(of_y, saved[1].flatten(1)), saved[0]);
    if (context->needs_input_grad(1)) result[1] = at::mm(of_y.t(), pixels(saved[0])).view_as(saved[1]);
    return result;
  }
};

class InFloat32 : public torch::autograd::Function<InFloat32> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               const Geometry& geometry) {
    const auto& [stride, padding, dilation, groups] = geometry;
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["dilation"] = dilation;
    context->saved_data["groups"] = groups;
    return at::convolution(x.to(torch::kFloat), weight, {}, stride, padding, dilation, /*transposed=*/false,
                           /*output_padding=*/{0, 0}, groups)
        .to(x.scalar_type());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    refuse_second_derivative();
    const auto saved = context->get_saved_variables();
    const bool of_images = context->needs_input_grad(0);
    const bool of_weight = context->needs_input_grad(1);
    const auto [x_gradient, weight_gradient, none] = at::convolution_backward(
        gradients[0].to(torch::kFloat), saved[0].to(torch::kFloat), saved[1], /*bias_sizes=*/std::nullopt,
        context->saved_data["stride"].toIntVector(), context->saved_data["padding"].toIntVector(),
        context->saved_data["dilation"].toIntVector(), /*transposed=*/false, /*output_padding=*/{0, 0},
        context->saved_data["groups"].toInt(), {of_images, of_weight, false});
    return {of_images ? x_gradient.to(saved[0].scalar_type()) : torch::Tensor{}, weight_gradient, {}};
  }
};

/// A call that autocast leaves alone.
template <typename Function, typename... Arguments>
torch::Tensor apply(const Arguments&... arguments) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  return Function::apply(arguments...);
}

}  // namespace

torch::Tensor by_minimal_filter(const torch::Tensor& images, const torch::Tensor& weight) {
  return apply<MinimalFilter>(images, weight);
}

bool has_minimal_filter(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  return keeps_size_by_3x3(weight, geometry) && all(geometry.stride, 1) && geometry.groups == 1 && images.numel() > 0 &&
         winograd::fastest_kernels(shape_of(images, weight.size(0))) != nullptr;
}

torch::Tensor depthwise(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride) {
  return apply<Depthwise>(images, weight, stride);
}

bool is_depthwise(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  return keeps_size_by_3x3(weight, geometry) && (all(geometry.stride, 1) || all(geometry.stride, 2)) &&
         geometry.groups == images.size(1) && weight.size(0) == images.size(1) && images.numel() > 0 &&
         depthwise::fits(depthwise_shape(images, geometry.stride[0]));
}

torch::Tensor pointwise(const torch::Tensor& images, const torch::Tensor& weight) {
  return apply<Pointwise>(images, weight);
}

bool is_pointwise(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  // LibTorch is as fast with more pixels than that.
  constexpr std::int64_t most_pixels = 4096;
  return weight.size(2) == 1 && weight.size(3) == 1 && all(geometry.stride, 1) && all(geometry.padding, 0) &&
         geometry.groups == 1 && images.numel() > 0 && images.size(0) * images.size(2) * images.size(3) <= most_pixels;
}

torch::Tensor in_float32(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  return apply<InFloat32>(images, weight, geometry);
}

}  // namespace relic::cpu_convolutions
