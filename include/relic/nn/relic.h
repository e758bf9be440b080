// ReLIC's networks: online encoder and projector, their slowly moving target copies, temperature and bias.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "relic/nn/encoder.h"
#include "relic/nn/projector.h"

namespace relic {

struct RelicOptions {
  std::string encoder = "resnet18";
  Stem stem = Stem::cifar;
  std::int64_t projector_hidden_dim = 512;
  std::int64_t projector_out_dim = 64;
  bool siglip = false;  ///< starts tau at log 10 and b at −10 instead of 0 and 0
};

/// Encoder "0" and projector "1", as the original's Sequential.
class Branch : public torch::nn::Module {
 public:
  Branch(std::shared_ptr<Encoder> encoder, Projector projector);
  /// [N, 3, S, S] to projections [N, d].
  torch::Tensor forward(const torch::Tensor& images);
  /// Features [N, D] to projections [N, d].
  torch::Tensor project(const torch::Tensor& features) { return projector_(features); }
  Encoder& encoder() { return *encoder_; }

 private:
  std::shared_ptr<Encoder> encoder_;
  Projector projector_;
};

/// The whole state of the method. Its state dict has the names, order, shapes and types of the original's
/// `relic_model.pth`: tau, b, online_encoder.…, target_encoder.….
class Relic : public torch::nn::Module {
 public:
  /// Initialises the online branch from torch's default random generator and the target as its copy.
  explicit Relic(const RelicOptions& options);

  Branch& online() { return *online_; }
  Branch& target() { return *target_; }
  torch::Tensor log_temperature;  ///< tau, scalar, learned
  torch::Tensor bias;             ///< b, scalar, learned

  /// Online parameters in order, then tau and b, as the original hands them to Adam.
  [[nodiscard]] std::vector<torch::Tensor> trained_parameters() const;

  /// target ← decay·target + (1 − decay)·online, for every parameter and floating buffer; counters
  /// (num_batches_tracked) stay. Decay 0 makes the target a copy of the online branch, counters included.
  /// `skipped`: where defined, a scalar on the device that leaves the target as it is if it is not 0; on a GPU a copy
  /// (decay 0) is made all the same, of weights that a skipped step left alone.
  void update_target(double decay, const torch::Tensor& skipped = {});

 private:
  std::shared_ptr<Branch> online_;
  std::shared_ptr<Branch> target_;
  std::vector<torch::Tensor> online_tensors_;  // parameters and floating buffers, aligned with target_tensors_
  std::vector<torch::Tensor> target_tensors_;
  std::vector<torch::Tensor> online_counters_;  // integer buffers, aligned with target_counters_
  std::vector<torch::Tensor> target_counters_;
};

}  // namespace relic
