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

/// Of one of `views` views.
norm_pass::Shape shape_of(const torch::Tensor& x, std::int64_t views) {
  return {pass_type(x.scalar_type()).value(), x.size(0) / views * x.size(2) * x.size(3), static_cast<int>(x.size(1))};
}

bool lies_in_rows(const torch::Tensor& x) { return x.is_contiguous(at::MemoryFormat::ChannelsLast); }

torch::Tensor floats(const torch::Tensor& x, std::int64_t count) {
  return torch::empty({count}, x.options().dtype(torch::kFloat));
}

float* pointer(const torch::Tensor& x) { return x.data_ptr<float>(); }

/// One of the views of a batch.
struct View {
  std::int64_t index;
  std::int64_t count;

  /// Where its part begins in a tensor of equal parts; null where that is undefined.
  [[nodiscard]] void* of(const torch::Tensor& x) const {
    if (!x.defined()) return nullptr;
    return static_cast<char*>(x.data_ptr()) + index * (static_cast<std::int64_t>(x.nbytes()) / count);
  }
  [[nodiscard]] float* floats_of(const torch::Tensor& x) const { return static_cast<float*>(of(x)); }
  [[nodiscard]] std::uint8_t* bytes_of(const torch::Tensor& x) const { return static_cast<std::uint8_t*>(of(x)); }
};

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

Result compute(const torch::Tensor& x, const torch::Tensor& shortcut, const Norm& norm, std::int64_t views, bool relu,
               bool keep) {
  norm_pass::Forward what;
  what.shape = shape_of(x, views);
  const std::int64_t statistics = views * what.shape.channels;
  Result result{torch::empty_like(x), floats(x, statistics), floats(x, statistics), {}};
  if (!x.is_cpu() && relu && keep) {
    const std::int64_t vector_bytes = 16;
    result.kept = torch::empty({x.numel() * x.element_size() / vector_bytes}, x.options().dtype(torch::kByte));
  }
  what.relu = relu;
  what.weight = pointer(norm.weight);
  what.bias = pointer(norm.bias);
  what.epsilon = static_cast<float>(norm.epsilon);
  what.momentum = static_cast<float>(norm.momentum);
  what.running_mean = pointer(norm.running_mean);
  what.running_variance = pointer(norm.running_variance);
  what.batches = norm.batches.data_ptr<std::int64_t>();
  for (View view{0, views}; view.index < views; ++view.index) {
    what.x = view.of(x);
    what.shortcut = view.of(shortcut);
    what.mean = view.floats_of(result.mean);
    what.inverse_deviation = view.floats_of(result.inverse_deviation);
    what.y = view.of(result.y);
    what.kept = view.bytes_of(result.kept);
    if (x.is_cpu()) {
      cpu_norm::forward(what);
    } else {
      gpu_norm::forward(what, x.device());
    }
  }
  return result;
}

class FusedNormAct : public torch::autograd::Function<FusedNormAct> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x,
                               const std::optional<torch::Tensor>& shortcut, const torch::Tensor& weight,
                               const torch::Tensor& bias, Norm norm, std::int64_t views, bool relu) {
    norm.weight = weight;
    norm.bias = bias;
    const Result result = compute(x, shortcut.value_or(torch::Tensor{}), norm, views, relu, /*keep=*/true);
    context->saved_data["views"] = views;
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
    const std::int64_t views = context->saved_data["views"].toInt();
    const auto y_gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    norm_pass::Backward what;
    what.shape = shape_of(x, views);
    const std::int64_t channels = what.shape.channels;
    variable_list result(7);  // as forward's arguments
    result[0] = torch::empty_like(x);
    // Numbers of inputs count tensors alone: 1 is the shortcut's only where there is one.
    if (context->saved_data["shortcut"].toBool() && context->needs_input_grad(1)) {
      result[1] = relu ? torch::empty_like(x) : y_gradient;
    }
    const auto weight_gradients = floats(x, views * channels);
    const auto bias_gradients = floats(x, views * channels);
    what.relu = relu;
    what.weight = pointer(saved[1]);
    what.bias = pointer(saved[2]);
    for (View view{0, views}; view.index < views; ++view.index) {
      what.y_gradient = view.of(y_gradient);
      what.x = view.of(x);
      what.mean = view.floats_of(saved[3]);
      what.inverse_deviation = view.floats_of(saved[4]);
      what.kept = view.bytes_of(saved[5]);
      what.y = view.of(saved[6]);
      what.x_gradient = view.of(result[0]);
      what.shortcut_gradient = relu ? view.of(result[1]) : nullptr;
      what.weight_gradient = view.floats_of(weight_gradients);
      what.bias_gradient = view.floats_of(bias_gradients);
      if (x.is_cpu()) {
        cpu_norm::backward(what);
      } else {
        gpu_norm::backward(what, x.device());
      }
    }
    const auto of_all = [&](const torch::Tensor& of_each) {
      return views == 1 ? of_each : of_each.view({views, channels}).sum(0);
    };
    result[2] = of_all(weight_gradients);
    result[3] = of_all(bias_gradients);
    return result;
  }
};

bool takes(const torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& x, const torch::Tensor& shortcut,
           std::int64_t views) {
  if (x.dim() != 4 || x.size(0) % views != 0 || !norm.is_training() || !pass_type(x.scalar_type()) ||
      !lies_in_rows(x)) {
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
  const auto shape = shape_of(x, views);
  return x.is_cpu() ? cpu_norm::fits(shape) : x.is_cuda() && gpu_norm::fits(shape);
}

}  // namespace

torch::Tensor fused_norm_act(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, After after,
                             const torch::Tensor& shortcut, std::int64_t views) {
  if (!takes(*norm, x, shortcut, views)) {
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
    return compute(x, shortcut, own, views, relu, /*keep=*/false).y;
  }
  const std::optional<torch::Tensor> added = shortcut.defined() ? std::optional(shortcut) : std::nullopt;
  return FusedNormAct::apply(x, added, own.weight, own.bias, own, views, relu);
}

}  // namespace relic
