#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/torch.h>

#include <optional>

#include "nn/cuda/norm_kernel.h"
#include "nn/norm_act.h"

namespace relic {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::optional<norm_kernel::Type> kernel_type(torch::ScalarType type) {
  switch (type) {
    case torch::kFloat:
      return norm_kernel::Type::float32;
    case torch::kHalf:
      return norm_kernel::Type::float16;
    case torch::kBFloat16:
      return norm_kernel::Type::bfloat16;
    default:
      return std::nullopt;
  }
}

norm_kernel::Shape shape_of(const torch::Tensor& x) {
  return {kernel_type(x.scalar_type()).value(), x.size(0) * x.size(2) * x.size(3), static_cast<int>(x.size(1))};
}

bool lies_in_rows(const torch::Tensor& x) { return x.is_contiguous(at::MemoryFormat::ChannelsLast); }

CUstream_st* stream_of(const torch::Tensor& x) { return c10::cuda::getCurrentCUDAStream(x.device().index()).stream(); }

torch::Tensor floats(const torch::Tensor& x, std::int64_t count) {
  return torch::empty({count}, x.options().dtype(torch::kFloat));
}

float* pointer(const torch::Tensor& x) { return x.data_ptr<float>(); }

/// BatchNorm's own tensors and settings.
struct Norm {
  torch::Tensor weight;
  torch::Tensor bias;
  torch::Tensor running_mean;
  torch::Tensor running_variance;
  torch::Tensor batches;
  double momentum;
  double epsilon;
};

struct Result {
  torch::Tensor y;
  torch::Tensor mean;
  torch::Tensor inverse_deviation;
  torch::Tensor kept;  // undefined where it is not wanted
};

Result compute(const torch::Tensor& x, const torch::Tensor& shortcut, const Norm& norm, bool relu, bool keep) {
  const c10::DeviceGuard guard(x.device());
  norm_kernel::Forward what;
  what.shape = shape_of(x);
  const std::int64_t channels = what.shape.channels;
  Result result{torch::empty_like(x), floats(x, channels), floats(x, channels), {}};
  const auto scratch = floats(x, norm_kernel::scratch_floats(what.shape));
  what.x = x.const_data_ptr();
  what.shortcut = shortcut.defined() ? shortcut.const_data_ptr() : nullptr;
  what.relu = relu;
  what.weight = pointer(norm.weight);
  what.bias = pointer(norm.bias);
  what.epsilon = static_cast<float>(norm.epsilon);
  what.momentum = static_cast<float>(norm.momentum);
  what.running_mean = pointer(norm.running_mean);
  what.running_variance = pointer(norm.running_variance);
  what.batches = norm.batches.data_ptr<std::int64_t>();
  what.mean = pointer(result.mean);
  what.inverse_deviation = pointer(result.inverse_deviation);
  what.y = result.y.data_ptr();
  if (relu && keep) {
    const std::int64_t vector_bytes = 16;
    result.kept = torch::empty({x.numel() * x.element_size() / vector_bytes}, x.options().dtype(torch::kByte));
    what.kept = result.kept.data_ptr<std::uint8_t>();
  }
  what.scratch = pointer(scratch);
  norm_kernel::forward(what, stream_of(x));
  return result;
}

class FusedNormAct : public torch::autograd::Function<FusedNormAct> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x,
                               const std::optional<torch::Tensor>& shortcut, const torch::Tensor& weight,
                               const torch::Tensor& bias, Norm norm, bool relu) {
    norm.weight = weight;
    norm.bias = bias;
    const Result result = compute(x, shortcut.value_or(torch::Tensor{}), norm, relu, /*keep=*/true);
    context->saved_data["shortcut"] = shortcut.has_value();
    context->save_for_backward({x, weight, result.mean, result.inverse_deviation, result.kept});
    return result.y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    TORCH_CHECK(!torch::GradMode::is_enabled(), "this BatchNorm has no second derivative");
    const auto saved = context->get_saved_variables();
    const torch::Tensor& x = saved[0];
    const torch::Tensor& kept = saved[4];
    const c10::DeviceGuard guard(x.device());
    const auto y_gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    norm_kernel::Backward what;
    what.shape = shape_of(x);
    const std::int64_t channels = what.shape.channels;
    variable_list result(6);  // as forward's arguments
    result[0] = torch::empty_like(x);
    // Numbers of inputs count tensors alone: 1 is the shortcut's only where there is one.
    if (context->saved_data["shortcut"].toBool() && context->needs_input_grad(1))
      result[1] = kept.defined() ? torch::empty_like(x) : y_gradient;
    result[2] = floats(x, channels);
    result[3] = floats(x, channels);
    const auto scratch = floats(x, norm_kernel::scratch_floats(what.shape));
    what.y_gradient = y_gradient.const_data_ptr();
    what.x = x.const_data_ptr();
    what.kept = kept.defined() ? kept.data_ptr<std::uint8_t>() : nullptr;
    what.weight = pointer(saved[1]);
    what.mean = pointer(saved[2]);
    what.inverse_deviation = pointer(saved[3]);
    what.x_gradient = result[0].data_ptr();
    what.shortcut_gradient = result[1].defined() && kept.defined() ? result[1].data_ptr() : nullptr;
    what.weight_gradient = pointer(result[2]);
    what.bias_gradient = pointer(result[3]);
    what.scratch = pointer(scratch);
    norm_kernel::backward(what, stream_of(x));
    return result;
  }
};

bool takes(const torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& x, const torch::Tensor& shortcut) {
  if (!x.is_cuda() || x.dim() != 4 || !norm.is_training() || !kernel_type(x.scalar_type()) || !lies_in_rows(x)) {
    return false;
  }
  const auto& options = norm.options;
  if (!options.affine() || !options.track_running_stats() || !options.momentum() ||
      !norm.num_batches_tracked.defined() || norm.weight.scalar_type() != torch::kFloat ||
      norm.weight.size(0) != x.size(1)) {
    return false;
  }
  if (shortcut.defined() &&
      (shortcut.sizes() != x.sizes() || shortcut.scalar_type() != x.scalar_type() || !lies_in_rows(shortcut))) {
    return false;
  }
  return norm_kernel::fits(shape_of(x));
}

}  // namespace

torch::Tensor fused_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut) {
  if (!takes(*norm, x, shortcut)) return {};
  const bool relu = after == After::relu;
  const Norm own{norm->weight,
                 norm->bias,
                 norm->running_mean,
                 norm->running_var,
                 norm->num_batches_tracked,
                 *norm->options.momentum(),
                 norm->options.eps()};
  const bool differentiable = torch::GradMode::is_enabled() && (x.requires_grad() || own.weight.requires_grad() ||
                                                                (shortcut.defined() && shortcut.requires_grad()));
  if (!differentiable) return compute(x, shortcut, own, relu, /*keep=*/false).y;
  const std::optional<torch::Tensor> added = shortcut.defined() ? std::optional(shortcut) : std::nullopt;
  return FusedNormAct::apply(x, added, own.weight, own.bias, own, relu);
}

}  // namespace relic
