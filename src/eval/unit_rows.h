// Representations as points on the unit sphere.
#pragma once

#include <ATen/Functions.h>

namespace relic {

/// [N, D] with rows of length 1; rows of zeros stay zero, and so are equally far from everything.
inline at::Tensor unit_rows(const at::Tensor& x, at::ScalarType dtype) {
  const at::Tensor rows = x.to(dtype);
  return rows / rows.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace relic
