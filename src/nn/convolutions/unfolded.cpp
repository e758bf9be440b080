#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>

#include "nn/convolutions/tensors.h"
#include "nn/convolutions/ways.h"

namespace relic::cpu_convolutions {

namespace {

/// A square kernel of odd side that is centred on every stride-th pixel.
struct Shape {
  std::int64_t height, width, channels;
  std::int64_t kernel, stride;

  [[nodiscard]] std::int64_t out_height() const { return (height - 1) / stride + 1; }
  [[nodiscard]] std::int64_t out_width() const { return (width - 1) / stride + 1; }
  [[nodiscard]] std::int64_t padding() const { return (kernel - 1) / 2; }
  [[nodiscard]] std::int64_t window() const { return kernel * kernel * channels; }
};

Shape shape_of(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride) {
  return {.height = images.size(2),
          .width = images.size(3),
          .channels = images.size(1),
          .kernel = weight.size(2),
          .stride = stride};
}

/// What each output sees, one after the other: [images, H, W, C] to [images · H′ · W′, kernel · kernel · C].
void unfold(const Shape& shape, std::int64_t images, const float* x, float* windows) {
  const auto row_of_windows = [&](std::int64_t image, std::int64_t out_y, float* to) {
    for (std::int64_t out_x = 0; out_x < shape.out_width(); ++out_x) {
      for (std::int64_t tap = 0; tap < shape.kernel * shape.kernel; ++tap, to += shape.channels) {
        const std::int64_t at_y = out_y * shape.stride + tap / shape.kernel - shape.padding();
        const std::int64_t at_x = out_x * shape.stride + tap % shape.kernel - shape.padding();
        if (at_y < 0 || at_y >= shape.height || at_x < 0 || at_x >= shape.width) {
          std::fill(to, to + shape.channels, 0.0F);
        } else {
          std::copy_n(x + ((image * shape.height + at_y) * shape.width + at_x) * shape.channels, shape.channels, to);
        }
      }
    }
  };
  at::parallel_for(0, images * shape.out_height(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      row_of_windows(row / shape.out_height(), row % shape.out_height(),
                     windows + row * shape.out_width() * shape.window());
    }
  });
}

/// The sum of what each pixel was in each window: the way back.
void fold(const Shape& shape, std::int64_t images, const float* windows, float* x) {
  const auto add_windows_at = [&](std::int64_t image, std::int64_t at_y, std::int64_t at_x, float* sums) {
    for (std::int64_t tap = 0; tap < shape.kernel * shape.kernel; ++tap) {
      const std::int64_t from_y = at_y + shape.padding() - tap / shape.kernel;
      const std::int64_t from_x = at_x + shape.padding() - tap % shape.kernel;
      if (from_y < 0 || from_x < 0 || from_y % shape.stride != 0 || from_x % shape.stride != 0) continue;
      const std::int64_t out_y = from_y / shape.stride;
      const std::int64_t out_x = from_x / shape.stride;
      if (out_y >= shape.out_height() || out_x >= shape.out_width()) continue;
      const std::int64_t output = (image * shape.out_height() + out_y) * shape.out_width() + out_x;
      const float* const part = windows + output * shape.window() + tap * shape.channels;
      for (std::int64_t c = 0; c < shape.channels; ++c) sums[c] += part[c];
    }
  };
  at::parallel_for(0, images * shape.height, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t at_x = 0; at_x < shape.width; ++at_x) {
        float* const sums = x + (row * shape.width + at_x) * shape.channels;
        std::fill(sums, sums + shape.channels, 0.0F);
        add_windows_at(row / shape.height, row % shape.height, at_x, sums);
      }
    }
  });
}

/// Calls use(first, count) with images whose windows take little memory (19 MB at 256 channels).
template <typename Use>
void for_few_images(const Shape& shape, std::int64_t images, Use use) {
  constexpr std::int64_t windows_at_once = 2048;
  const std::int64_t few = std::max<std::int64_t>(1, windows_at_once / (shape.out_height() * shape.out_width()));
  for (std::int64_t first = 0; first < images; first += few) use(first, std::min(few, images - first));
}

/// The windows of images [first, first + count), a matrix with a row for each output.
torch::Tensor windows_of(const Shape& shape, const torch::Tensor& images, std::int64_t first, std::int64_t count) {
  const torch::Tensor some = images.narrow(0, first, count).to(torch::kFloat);
  torch::Tensor windows =
      torch::empty({count * shape.out_height() * shape.out_width(), shape.window()}, some.options());
  unfold(shape, count, some.const_data_ptr<float>(), windows.data_ptr<float>());
  return windows;
}

/// A weight, channels last, as [out, kernel · kernel · in], in its memory.
torch::Tensor as_matrix(const torch::Tensor& weight) { return weight.permute({0, 2, 3, 1}).flatten(1); }

torch::Tensor convolution(const Shape& shape, const torch::Tensor& images, const torch::Tensor& weight) {
  const torch::Tensor taps = as_matrix(channels_last(weight)).t();
  torch::Tensor y = empty_images(images, weight.size(0), shape.out_height(), shape.out_width());
  for_few_images(shape, images.size(0), [&](std::int64_t first, std::int64_t count) {
    write_product(pixels_of(y.narrow(0, first, count)), windows_of(shape, images, first, count), taps);
  });
  return y;
}

torch::Tensor images_gradient(const Shape& shape, const torch::Tensor& y_gradient, const torch::Tensor& weight,
                              const torch::Tensor& like) {
  const torch::Tensor taps = as_matrix(channels_last(weight));
  torch::Tensor gradient = torch::empty_like(like);
  for_few_images(shape, like.size(0), [&](std::int64_t first, std::int64_t count) {
    const torch::Tensor windows = at::mm(float_pixels_of(y_gradient.narrow(0, first, count)), taps);
    torch::Tensor some = gradient.narrow(0, first, count);
    torch::Tensor sums = some.scalar_type() == torch::kFloat ? some : torch::empty_like(some, torch::kFloat);
    fold(shape, count, windows.const_data_ptr<float>(), sums.data_ptr<float>());
    if (!sums.is_same(some)) some.copy_(sums);
  });
  return gradient;
}

torch::Tensor weight_gradient(const Shape& shape, const torch::Tensor& y_gradient, const torch::Tensor& images,
                              const torch::Tensor& weight) {
  torch::Tensor sums = torch::zeros({weight.size(0), shape.window()}, weight.options());
  for_few_images(shape, images.size(0), [&](std::int64_t first, std::int64_t count) {
    sums.addmm_(float_pixels_of(y_gradient.narrow(0, first, count)).t(), windows_of(shape, images, first, count));
  });
  return sums.view({weight.size(0), shape.kernel, shape.kernel, shape.channels}).permute({0, 3, 1, 2});
}

class Unfolded : public torch::autograd::Function<Unfolded> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               std::int64_t stride) {
    const torch::Tensor images = channels_last(x);
    context->save_for_backward({images, weight});
    context->saved_data["stride"] = stride;
    return convolution(shape_of(images, weight, stride), images, weight);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const DerivativeScope scope;
    const auto saved = context->get_saved_variables();
    const auto& images = saved[0];
    const auto& weight = saved[1];
    const auto shape = shape_of(images, weight, context->saved_data["stride"].toInt());
    const torch::Tensor y_gradient = channels_last(gradients[0]);
    variable_list result(3);
    if (context->needs_input_grad(0)) result[0] = images_gradient(shape, y_gradient, weight, images);
    if (context->needs_input_grad(1)) result[1] = weight_gradient(shape, y_gradient, images, weight);
    return result;
  }
};

}  // namespace

torch::Tensor by_unfolding(const torch::Tensor& images, const torch::Tensor& weight, std::int64_t stride) {
  const std::int64_t padding = weight.size(2) / 2;
  TORCH_CHECK(weight.size(1) == images.size(1) &&
                  takes_unfolding(images, weight, {{stride, stride}, {padding, padding}, {1, 1}, 1}),
              "no unfolding of these images for this weight");
  return apply<Unfolded>(images, weight, stride);
}

bool takes_unfolding(const torch::Tensor& images, const torch::Tensor& weight, const Geometry& geometry) {
  const bool pointwise = keeps_size_by_1x1(weight, geometry);
  if ((!pointwise && !keeps_size_by_3x3(weight, geometry)) || !both(geometry.stride, 2) ||
      !both(geometry.dilation, 1) || geometry.groups != 1 || images.numel() == 0) {
    return false;
  }
  // LibTorch was as fast where there are more outputs an image, or fewer channels.
  constexpr std::int64_t most_outputs = 16;
  const std::int64_t enough_channels = pointwise ? 128 : 256;
  const auto shape = shape_of(images, weight, 2);
  return shape.out_height() * shape.out_width() <= most_outputs && shape.channels >= enough_channels;
}

}  // namespace relic::cpu_convolutions
