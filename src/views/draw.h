// The drawing of a view, for a processor or a GPU: the same numbers on both (C++17, no LibTorch).
#pragma once

#include <cmath>
#include <cstdint>

#include "relic/core/random.h"
#include "relic/views/view_params.h"
#include "relic/views/view_spec.h"

namespace relic::ops {

// Templates, although only of one type each, because the standard library's functions that they call are not constexpr
// in C++17.

/// Half to even, as Python's round.
template <typename Real>
constexpr int rounded(Real value) {
  return static_cast<int>(std::nearbyint(value));
}

template <typename Rng>
constexpr void draw_crop(const ViewSpec& spec, Rng& rng, int width, int height, ViewParams& params) {
  constexpr double max_ratio = 4.0 / 3.0;
  constexpr double min_ratio = 3.0 / 4.0;
  constexpr auto log_max_ratio = static_cast<float>(0.28768207245178092744);
  const double area = static_cast<double>(width) * height;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * static_cast<double>(rng.uniform(spec.min_scale, spec.max_scale));
    const double ratio = std::exp(static_cast<double>(rng.uniform(-log_max_ratio, log_max_ratio)));
    params.width = rounded(std::sqrt(target * ratio));
    params.height = rounded(std::sqrt(target / ratio));
    if (params.width < 1 || params.width > width || params.height < 1 || params.height > height) continue;
    params.top = static_cast<int>(rng.below(static_cast<std::uint32_t>(height - params.height + 1)));
    params.left = static_cast<int>(rng.below(static_cast<std::uint32_t>(width - params.width + 1)));
    return;
  }
  const double image_ratio = static_cast<double>(width) / height;
  params.width = image_ratio > max_ratio ? rounded(height * max_ratio) : width;
  params.height = image_ratio < min_ratio ? rounded(width / min_ratio) : height;
  params.top = (height - params.height) / 2;
  params.left = (width - params.width) / 2;
}

template <typename Rng>
constexpr bool chance(Rng& rng, float probability) {
  return rng.uniform() < probability;
}

template <typename Rng>
constexpr float factor(Rng& rng, float range) {
  return rng.uniform(range < 1 ? 1 - range : 0.0F, 1 + range);
}

/// See relic::draw_view.
template <typename Rng = CounterRng>
constexpr ViewParams draw_view(const ViewSpec& spec, const ViewKey& key, int width, int height) {
  Rng rng(key.seed, static_cast<std::uint32_t>(key.epoch), static_cast<std::uint32_t>(key.sample),
          static_cast<std::uint32_t>(key.view));
  ViewParams params;
  params.flip = chance(rng, spec.flip_probability);
  params.jitter = chance(rng, spec.jitter_probability);
  for (std::uint32_t i = 3; i > 0; --i) {
    const std::uint32_t other = rng.below(i + 1);
    const JitterOp op = params.order[i];
    params.order[i] = params.order[other];
    params.order[other] = op;
  }
  params.brightness = factor(rng, spec.brightness);
  params.contrast = factor(rng, spec.contrast);
  params.saturation = factor(rng, spec.saturation);
  params.hue = rng.uniform(-spec.hue, spec.hue);
  params.gray = chance(rng, spec.gray_probability);
  params.sigma = rng.uniform(spec.min_sigma, spec.max_sigma);
  params.solarize = chance(rng, spec.solarize_probability);
  // Last, because the number of tries varies.
  draw_crop(spec, rng, width, height, params);
  return params;
}

}  // namespace relic::ops
