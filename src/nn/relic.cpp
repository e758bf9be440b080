#include "relic/nn/relic.h"

#include <torch/torch.h>

#include <cmath>

#include "relic/nn/state_dict.h"

namespace relic {

namespace {

std::shared_ptr<Branch> make_branch(const RelicOptions& options) {
  auto encoder = make_encoder(options.encoder, options.stem);
  const auto features = encoder->feature_dim();
  return std::make_shared<Branch>(std::move(encoder),
                                  Projector(features, options.projector_hidden_dim, options.projector_out_dim));
}

}  // namespace

Branch::Branch(std::shared_ptr<Encoder> encoder, Projector projector)
    : encoder_(register_module("0", std::move(encoder))), projector_(register_module("1", std::move(projector))) {}

torch::Tensor Branch::forward(const torch::Tensor& images) { return project(encoder_->forward(images)); }

Relic::Relic(const RelicOptions& options)
    : log_temperature(register_parameter("tau", torch::tensor(options.siglip ? std::log(10.0F) : 0.0F))),
      bias(register_parameter("b", torch::tensor(options.siglip ? -10.0F : 0.0F))),
      online_(register_module("online_encoder", make_branch(options))),
      target_(register_module("target_encoder", make_branch(options))) {
  for (auto& parameter : target_->parameters()) {
    parameter.requires_grad_(false);
  }
  // Names, order and shapes are those of the online branch: both come from the same options.
  const auto online = state_dict(*online_);
  const auto target = state_dict(*target_);
  for (std::size_t i = 0; i < online.size(); ++i) {
    const bool floating = online[i].second.is_floating_point();
    (floating ? online_tensors_ : online_counters_).push_back(online[i].second);
    (floating ? target_tensors_ : target_counters_).push_back(target[i].second);
  }
  update_target(0);
}

std::vector<torch::Tensor> Relic::trained_parameters() const {
  auto parameters = online_->parameters();
  parameters.push_back(log_temperature);
  parameters.push_back(bias);
  return parameters;
}

void Relic::update_target(double decay, const torch::Tensor& skipped) {
  const torch::NoGradGuard no_grad;
  const bool read_here = skipped.defined() && skipped.is_cpu();  // nothing waits for that
  if (read_here && skipped.item<float>() != 0) {
    return;
  }
  if (decay == 0) {
    at::_foreach_copy_(target_tensors_, online_tensors_);
    at::_foreach_copy_(target_counters_, online_counters_);
  } else if (skipped.defined() && !read_here) {
    // The one operation that looks at such a scalar: a step of gradient descent, with `online` taken for the gradient,
    // upwards and with a weight decay of 1, so target + (1 − decay)·(online − target).
    at::_fused_sgd_(target_tensors_, online_tensors_, /*momentum_buffer_list=*/{}, /*weight_decay=*/1, /*momentum=*/0,
                    /*lr=*/1 - decay, /*dampening=*/0, /*nesterov=*/false, /*maximize=*/true, /*is_first_step=*/false,
                    /*grad_scale=*/{}, skipped);
  } else {
    at::_foreach_lerp_(target_tensors_, online_tensors_, 1 - decay);
  }
}

}  // namespace relic
