#include "relic/train/snapshot.h"

#include <torch/torch.h>

#include <vector>

#include "relic/core/error.h"
#include "relic/nn/state_dict.h"

namespace relic {

namespace {

torch::Tensor copy_to_cpu(const torch::Tensor& tensor) {
  const auto detached = tensor.detach();
  return detached.is_cpu() ? detached.clone(at::MemoryFormat::Contiguous) : detached.to(torch::kCPU).contiguous();
}

std::vector<std::string> trained_names(const Relic& relic) {
  std::vector<std::string> names;
  for (const auto& item : relic.named_parameters()) {
    if (item.value().requires_grad() && item.key().rfind("online_encoder.", 0) == 0) {
      names.push_back(item.key());
    }
  }
  names.emplace_back("tau");
  names.emplace_back("b");
  return names;
}

StateDict named_copies(const std::vector<std::string>& names, const std::vector<torch::Tensor>& tensors) {
  StateDict copies;
  for (std::size_t i = 0; i < names.size(); ++i) {
    copies.emplace_back(names[i], copy_to_cpu(tensors.at(i)));
  }
  return copies;
}

void restore(const StateDict& from, const std::vector<std::string>& names, std::vector<torch::Tensor>& to,
             const std::string& where) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i >= from.size() || from[i].first != names[i] || !from[i].second.sizes().equals(to[i].sizes())) {
      throw Error(where + ": its optimizer state does not fit this model (at " + names[i] + ")");
    }
    to[i].copy_(from[i].second);
  }
}

}  // namespace

StateDict copy_to_cpu(const StateDict& tensors) {
  StateDict copies;
  for (const auto& [name, tensor] : tensors) {
    copies.emplace_back(name, copy_to_cpu(tensor));
  }
  return copies;
}

Checkpoint take_checkpoint(const Relic& relic, const Adam& adam, const GradScaler* scaler) {
  const auto names = trained_names(relic);
  Checkpoint checkpoint;
  checkpoint.model = copy_to_cpu(state_dict(relic));
  checkpoint.first_moments = named_copies(names, adam.first_moments);
  checkpoint.second_moments = named_copies(names, adam.second_moments);
  checkpoint.optimizer_steps = named_copies(names, adam.steps);
  if (scaler != nullptr) {
    checkpoint.scaler = copy_to_cpu({{"scale", scaler->scale}, {"growth_tracker", scaler->growth_tracker}});
  }
  return checkpoint;
}

void restore_checkpoint(const Checkpoint& checkpoint, Relic& relic, Adam& adam, GradScaler* scaler,
                        const std::string& where) {
  const torch::NoGradGuard no_grad;
  const auto names = trained_names(relic);
  load_state_dict(relic, checkpoint.model, where);
  restore(checkpoint.first_moments, names, adam.first_moments, where);
  restore(checkpoint.second_moments, names, adam.second_moments, where);
  restore(checkpoint.optimizer_steps, names, adam.steps, where);
  if (scaler != nullptr && checkpoint.scaler.size() == 2) {
    scaler->scale.copy_(checkpoint.scaler[0].second);
    scaler->growth_tracker.copy_(checkpoint.scaler[1].second);
  }
}

}  // namespace relic
