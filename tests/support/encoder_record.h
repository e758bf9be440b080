// What an encoder was, for tests of what is to leave it so.
#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstddef>
#include <vector>

#include "relic/nn/encoder.h"
#include "relic/nn/state_dict.h"

namespace relic::testing {

/// Modes of all parts and copies of all tensors, as they are when it is made.
class EncoderRecord {
 public:
  explicit EncoderRecord(Encoder& encoder) {
    for (const auto& part : encoder.modules()) {
      modes_.push_back(part->is_training());
    }
    for (const auto& [name, tensor] : state_dict(encoder)) {
      tensors_.emplace_back(name, tensor.clone());
    }
  }

  void expect_same_modes(Encoder& encoder) const {
    std::size_t i = 0;
    for (const auto& part : encoder.modules()) {
      EXPECT_EQ(part->is_training(), modes_[i++]) << part->name();
    }
  }

  /// Each tensor as it was, but for those of which `changed(name)` holds, which must differ.
  template <class Changed>
  void expect_tensors(Encoder& encoder, Changed changed) const {
    std::size_t i = 0;
    for (const auto& [name, tensor] : state_dict(encoder)) {
      EXPECT_NE(torch::equal(tensor, tensors_[i++].second), changed(name)) << name;
    }
  }

 private:
  std::vector<bool> modes_;
  StateDict tensors_;
};

}  // namespace relic::testing
