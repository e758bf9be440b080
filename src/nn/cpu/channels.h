// A pixel's channels in memory, channels last.
#pragma once

#include <cstdint>

namespace relic {

/// A bfloat16's bits: the upper half of a float's.
using Bfloat16 = std::uint16_t;

/// More than any encoder's; what is computed for each channel has room for so many.
inline constexpr std::int64_t kMostChannels = 4096;

/// Those of a pixel outside of an image.
template <typename Value>
alignas(64) inline constexpr Value kZeros[kMostChannels] = {};

}  // namespace relic
