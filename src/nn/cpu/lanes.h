// Vectors in the compiler's own terms, as wide as a processor's registers.
#pragma once

#include <cstdint>
#include <cstring>

#include "nn/cpu/channels.h"

namespace relic {

template <typename Value, int count>
struct VectorOf {
  using type [[gnu::vector_size(count * sizeof(Value))]] = Value;
};

/// So many float32 values, to and from float32 or bfloat16 (its bits, the upper half of a float's) in memory. Passed by
/// reference: how such vectors are passed by value depends on the processor.
template <int lane_count>
struct Lanes {
  static constexpr int lanes = lane_count;
  using Vector = typename VectorOf<float, lane_count>::type;

  static void load(const float* from, Vector& vector) { std::memcpy(&vector, from, sizeof vector); }
  static void store(const Vector& vector, float* to) { std::memcpy(to, &vector, sizeof vector); }

  static void load(const Bfloat16* from, Vector& vector) {
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    Words words = __builtin_convertvector(halves, Words);
    words <<= 16;
    std::memcpy(&vector, &words, sizeof vector);
  }
  /// Rounds to the nearest, of two to the even one.
  static void store(const Vector& vector, Bfloat16* to) {
    Words words;
    std::memcpy(&words, &vector, sizeof words);
    words = (words + (0x7FFF + ((words >> 16) & 1))) >> 16;
    const auto is_number = vector == vector;  // rounding might carry a NaN's bits out of it
    words = is_number ? words : Words{} + 0x7FC0;
    const Halves halves = __builtin_convertvector(words, Halves);
    std::memcpy(to, &halves, sizeof halves);
  }

 private:
  using Words = typename VectorOf<std::uint32_t, lane_count>::type;
  using Halves = typename VectorOf<std::uint16_t, lane_count>::type;
};

}  // namespace relic
