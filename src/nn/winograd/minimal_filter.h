// Winograd's minimal filters F(m, 3): m outputs of a three-tap correlation from m + 2 products (Winograd 1980; Lavin
// and Gray 2016, arXiv 1509.09308, section 4, whose matrices these are). For an input d and taps g,
//   y = Aᵀ [(G g) ⊙ (Bᵀ d)],
// and nested in two dimensions, Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A.
#pragma once

namespace relic::winograd {

template <int rows, int columns>
struct Matrix {
  float at[rows][columns];

  [[nodiscard]] constexpr Matrix<columns, rows> transposed() const {
    Matrix<columns, rows> result{};
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) result.at[j][i] = at[i][j];
    }
    return result;
  }
};

/// m = 2: 2.25 times fewer products than the correlation in two dimensions; m = 4: 4 times, and a digit less exact.
template <int m>
struct MinimalFilter;

template <>
struct MinimalFilter<2> {
  static constexpr Matrix<4, 4> input{{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}};     // Bᵀ
  static constexpr Matrix<4, 3> taps{{{1, 0, 0}, {0.5F, 0.5F, 0.5F}, {0.5F, -0.5F, 0.5F}, {0, 0, 1}}};  // G
  static constexpr Matrix<2, 4> output{{{1, 1, 1, 0}, {0, 1, -1, -1}}};                                 // Aᵀ
};

template <>
struct MinimalFilter<4> {
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

}  // namespace relic::winograd
