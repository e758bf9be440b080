#include "relic/views/view_params.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "relic/core/random.h"

namespace relic {

namespace {

constexpr double min_ratio = 3.0 / 4.0;
constexpr double max_ratio = 4.0 / 3.0;

// Half to even, as Python's round.
int rounded(double value) { return static_cast<int>(std::nearbyint(value)); }

void draw_crop(const ViewSpec& spec, CounterRng& rng, int width, int height, ViewParams& params) {
  const double area = static_cast<double>(width) * height;
  static const auto log_min = static_cast<float>(std::log(min_ratio));
  static const auto log_max = static_cast<float>(std::log(max_ratio));
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * static_cast<double>(rng.uniform(spec.min_scale, spec.max_scale));
    const double ratio = std::exp(static_cast<double>(rng.uniform(log_min, log_max)));
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

}  // namespace

ViewParams draw_view(const ViewSpec& spec, const ViewKey& key, int width, int height) {
  CounterRng rng(key.seed, static_cast<std::uint32_t>(key.epoch), static_cast<std::uint32_t>(key.sample),
                 static_cast<std::uint32_t>(key.view));
  const auto chance = [&rng](float probability) { return rng.uniform() < probability; };
  const auto factor = [&rng](float range) { return rng.uniform(std::max(0.0F, 1 - range), 1 + range); };
  ViewParams params;
  params.flip = chance(spec.flip_probability);
  params.jitter = chance(spec.jitter_probability);
  for (std::uint32_t i = 3; i > 0; --i) std::swap(params.order[i], params.order[rng.below(i + 1)]);
  params.brightness = factor(spec.brightness);
  params.contrast = factor(spec.contrast);
  params.saturation = factor(spec.saturation);
  params.hue = rng.uniform(-spec.hue, spec.hue);
  params.gray = chance(spec.gray_probability);
  params.sigma = rng.uniform(spec.min_sigma, spec.max_sigma);
  params.solarize = chance(spec.solarize_probability);
  // Last, because the number of tries varies.
  draw_crop(spec, rng, width, height, params);
  return params;
}

}  // namespace relic
