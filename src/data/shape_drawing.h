// How one picture of the synthetic data set is drawn.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relic/core/random.h"

namespace relic {

constexpr int shape_side = 32;

/// Names of the classes, in the order of their numbers.
const std::vector<std::string>& shape_names();

/// Draws a picture of class `label` into `out`, shape_side × shape_side × 3 bytes. All that is not the class (colours,
/// place, scale, rotation, background) comes from `rng`.
void draw_shape(int label, CounterRng rng, std::uint8_t* out);

}  // namespace relic
