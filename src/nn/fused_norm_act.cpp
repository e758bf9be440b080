#include <torch/torch.h>

#include <optional>

#include "nn/device_norm.h"
#include "nn/norm_act.h"

namespace relic {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::optional<norm_pass::Type> pass_type(torch::ScalarType type) {
  switch (type) {
    case torch::kFloat:
      return norm_pass::Type::float32;
    case torch::kHalf:
      return norm_pass::Type::float16;
    case torch::kBFloat16:
      return norm_pass::Type::bfloat16;
    default:
      return std::nullopt;
  }
}

norm_pass::Shape shape_of(const torch::Tensor& x) {
  return {pass_type(x.scalar_type()).value(), x.size(0) * x.size(2) * x.size(3), static_cast<int>(x.size(1))};
}

bool lies_in_rows(const torch::Tensor& x) { return x.is_contiguous(at::MemoryFormat::ChannelsLast); }

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
  norm_pass::Forward what;
  what.shape = shape_of(x);
  const std::int64_t channels = what.shape.channels;
  Result result{torch::empty_like(x), floats(x, channels), floats(x, channels), {}};
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
  if (x.is_cpu()) {
    cpu_norm::forward(what);
    return result;
  }
  if (relu && keep) {
    const std::int64_t vector_bytes = 16;
    result.kept = torch::empty({x.numel() * x.element_size() / vector_bytes}, x.options().dtype(torch::kByte));
    what.kept = result.kept.data_ptr<std::uint8_t>();
  }
  gpu_norm::forward(what, x.device());
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
    context->saved_data["relu"] = relu;
    const bool looks_at_y = x.is_cpu() && relu && shortcut.has_value();
    context->save_for_backward(
        {x, weight, bias, result.mean, result.inverse_deviation, result.kept, looks_at_y ? result.y : torch::Tensor{}});
    return result.y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    TORCH_CHECK(!torch::GradMode::is_enabled(), "this BatchNorm has no second derivative");
    const auto saved = context->get_saved_variables();
    const torch::Tensor& x = saved[0];
    const bool relu = context->saved_data["relu"].toBool();
    const auto y_gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    norm_pass::Backward what;
    what.shape = shape_of(x);
    const std::int64_t channels = what.shape.channels;
    variable_list result(6);  // as forward's arguments
    result[0] = torch::empty_like(x);
    // Numbers of inputs count tensors alone: 1 is the shortcut's only where there is one.
    if (context->saved_data["shortcut"].toBool() && context->needs_input_grad(1)) {
      result[1] = relu ? torch::empty_like(x) : y_gradient;
    }
    result[2] = floats(x, channels);
    result[3] = floats(x, channels);
    what.y_gradient = y_gradient.const_data_ptr();
    what.x = x.const_data_ptr();
    what.relu = relu;
    what.weight = pointer(saved[1]);
    what.bias = pointer(saved[2]);
    what.mean = pointer(saved[3]);
    what.inverse_deviation = pointer(saved[4]);
    what.kept = saved[5].defined() ? saved[5].data_ptr<std::uint8_t>() : nullptr;
    what.y = saved[6].defined() ? saved[6].const_data_ptr() : nullptr;
    what.x_gradient = result[0].data_ptr();
    what.shortcut_gradient = result[1].defined() && relu ? result[1].data_ptr() : nullptr;
    what.weight_gradient = pointer(result[2]);
    what.bias_gradient = pointer(result[3]);
    if (x.is_cpu()) {
      cpu_norm::backward(what);
    } else {
      gpu_norm::backward(what, x.device());
    }
    return result;
  }
};

bool takes(const torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& x, const torch::Tensor& shortcut) {
  if (x.dim() != 4 || !norm.is_training() || !pass_type(x.scalar_type()) || !lies_in_rows(x)) {
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
  const auto shape = shape_of(x);
  return x.is_cpu() ? cpu_norm::fits(shape) : x.is_cuda() && gpu_norm::fits(shape);
}

}  // namespace

torch::Tensor fused_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut) {
  if (!takes(*norm, x, shortcut)) {
    return {};
  }
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
  if (!differentiable) {
    return compute(x, shortcut, own, relu, /*keep=*/false).y;
  }
  const std::optional<torch::Tensor> added = shortcut.defined() ? std::optional(shortcut) : std::nullopt;
  return FusedNormAct::apply(x, added, own.weight, own.bias, own, relu);
}

}  // namespace relic
