// A module's train and eval modes, put back at the end of a scope.
#pragma once

#include <torch/nn/module.h>

#include <utility>
#include <vector>

namespace relic {

class KeptModes {
 public:
  explicit KeptModes(torch::nn::Module& module) {
    // Parents come before their children, whose modes theirs would overwrite.
    module.apply([this](torch::nn::Module& part) { modes_.emplace_back(&part, part.is_training()); });
  }
  ~KeptModes() {
    for (const auto& [part, training] : modes_) {
      part->train(training);
    }
  }
  KeptModes(const KeptModes&) = delete;
  KeptModes& operator=(const KeptModes&) = delete;

 private:
  std::vector<std::pair<torch::nn::Module*, bool>> modes_;
};

}  // namespace relic
