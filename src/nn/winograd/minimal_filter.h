// Winograd's minimal filters F(m, 3): m outputs of a three-tap correlation from fewer products than m · 3 (Winograd
// 1980; Lavin and Gray 2016, arXiv 1509.09308, section 4, whose matrices those of stride 1 are). For an input d and
// taps g,
//   y = Aᵀ [(G g) ⊙ (Bᵀ d)],
// and nested in two dimensions, Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A.
#pragma once

#include "nn/winograd/conv3x3.h"

namespace relic::winograd {

template <int row_count, int column_count>
struct Matrix {
  static constexpr int rows = row_count;
  static constexpr int columns = column_count;
  float at[rows][columns];

  [[nodiscard]] constexpr Matrix<columns, rows> transposed() const {
    Matrix<columns, rows> result{};
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) result.at[j][i] = at[i][j];
    }
    return result;
  }
};

/// Of `m` outputs. The inputs of the next ones lie `step` farther; of each, `before` lie before the first output.
template <Stride stride, int m>
struct MinimalFilter;

/// In two dimensions 2.25 times fewer products than the correlation has.
template <>
struct MinimalFilter<Stride::one, 2> {
  static constexpr int step = 2;
  static constexpr int before = 1;
  static constexpr Matrix<4, 4> input{{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}};     // Bᵀ
  static constexpr Matrix<4, 3> taps{{{1, 0, 0}, {0.5F, 0.5F, 0.5F}, {0.5F, -0.5F, 0.5F}, {0, 0, 1}}};  // G
  static constexpr Matrix<2, 4> output{{{1, 1, 1, 0}, {0, 1, -1, -1}}};                                 // Aᵀ
};

/// 4 times fewer, and a digit less exact.
template <>
struct MinimalFilter<Stride::one, 4> {
  static constexpr int step = 4;
  static constexpr int before = 1;
  static constexpr float sixth = 1.0F / 6;
  static constexpr float twelfth = 1.0F / 12;
  static constexpr Matrix<6, 6> input{{{4, 0, -5, 0, 1, 0},
                                       {0, -4, -4, 1, 1, 0},
                                       {0, 4, -4, -1, 1, 0},
                                       {0, -2, -1, 2, 1, 0},
                                       {0, 2, -1, -2, 1, 0},
                                       {0, 4, 0, -5, 0, 1}}};
  static constexpr Matrix<6, 3> taps{{{0.25F, 0, 0},
                                      {-sixth, -sixth, -sixth},
                                      {-sixth, sixth, -sixth},
                                      {twelfth / 2, twelfth, sixth},
                                      {twelfth / 2, -twelfth, sixth},
                                      {0, 0, 1}}};
  static constexpr Matrix<4, 6> output{{{1, 1, 1, 1, 1, 0},  //
                                        {0, 1, -1, 2, -2, 0},
                                        {0, 1, 1, 4, 4, 0},
                                        {0, 1, -1, 8, -8, 1}}};
};

/// 1.44 times fewer. Every second input meets the middle tap alone; on the others the outer taps are a correlation of
/// two taps, of whose F(2, 2) the first three products are:
///   y₀ = g₀ d₀ + g₁ d₁ + g₂ d₂ and y₁ = g₀ d₂ + g₁ d₃ + g₂ d₄.
template <>
struct MinimalFilter<Stride::two, 2> {
  static constexpr int step = 4;
  static constexpr int before = 1;
  static constexpr Matrix<5, 5> input{
      {{1, 0, -1, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, -1, 0, 1}, {0, 1, 0, 0, 0}, {0, 0, 0, 1, 0}}};
  static constexpr Matrix<5, 3> taps{{{1, 0, 0}, {1, 0, 1}, {0, 0, 1}, {0, 1, 0}, {0, 1, 0}}};
  static constexpr Matrix<2, 5> output{{{1, 1, 0, 1, 0}, {0, 1, 1, 0, 1}}};
};

/// 1.44 times fewer, in the same way:
///   y₀ = g₁ d₀, y₁ = g₂ d₀ + g₀ d₁, y₂ = g₁ d₁ and y₃ = g₂ d₁ + g₀ d₂.
template <>
struct MinimalFilter<Stride::half, 4> {
  static constexpr int step = 2;
  static constexpr int before = 0;
  static constexpr Matrix<5, 3> input{{{1, -1, 0}, {0, 1, 0}, {0, -1, 1}, {1, 0, 0}, {0, 1, 0}}};
  static constexpr Matrix<5, 3> taps{{{0, 0, 1}, {1, 0, 1}, {1, 0, 0}, {0, 1, 0}, {0, 1, 0}}};
  static constexpr Matrix<4, 5> output{{{0, 0, 0, 1, 0}, {1, 1, 0, 0, 0}, {0, 0, 0, 0, 1}, {0, 1, 1, 0, 0}}};
};

}  // namespace relic::winograd
