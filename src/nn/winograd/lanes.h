// Vectors of floats in the compiler's own terms, as wide as a processor's registers.
#pragma once

#include <cstring>

namespace relic::winograd {

/// A processor's vectors, and the part of a matrix product that its registers hold.
template <int lane_count, int row_count>
struct LanesOf {
  static constexpr int lanes = lane_count;
  static constexpr int rows = row_count;          ///< of the product
  static constexpr int columns = 2 * lane_count;  ///< of the product
  using Vector [[gnu::vector_size(lane_count * sizeof(float))]] = float;

  // By reference: how such vectors are passed by value depends on the processor.
  static void load(const float* from, Vector& vector) { std::memcpy(&vector, from, sizeof vector); }
  static void store(const Vector& vector, float* to) { std::memcpy(to, &vector, sizeof vector); }
};

using Avx512Lanes = LanesOf<16, 14>;  // 28 sums, two factors, one broadcast: 31 of 32 registers
using Avx2Lanes = LanesOf<8, 6>;      // 12, two and one: 15 of 16

}  // namespace relic::winograd
