// What every score asks of features before it looks at them.
#pragma once

#include <cstdint>
#include <string>

#include "relic/eval/features.h"

namespace relic {

/// Throws Error, naming `which` features, unless x is [N, D] with N > 0 and finite and there are N labels in
/// 0 … classes−1.
void check_features(const Features& features, std::int64_t classes, const std::string& which);

/// Number of equal entries of two [N] int64 tensors.
std::int64_t count_equal(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace relic
