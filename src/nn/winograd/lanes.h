// A processor's vectors, and the part of a matrix product that its registers hold.
#pragma once

#include "nn/cpu/lanes.h"

namespace relic::winograd {

template <int lane_count, int row_count>
struct ProductLanes : Lanes<lane_count> {
  static constexpr int rows = row_count;
  static constexpr int columns = 2 * lane_count;
};

using Avx512Lanes = ProductLanes<16, 14>;  // 28 sums, two factors, one broadcast: 31 of 32 registers
using Avx2Lanes = ProductLanes<8, 6>;      // 12, two and one: 15 of 16

}  // namespace relic::winograd
