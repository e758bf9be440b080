// C = A·B, or C += A·B, of matrices that lie in a core's caches.
#pragma once

#include <cstddef>

namespace relic::winograd {

struct Factors {
  const float* a;  ///< element (i, k) at i · a_row + k · a_step
  std::ptrdiff_t a_row;
  std::ptrdiff_t a_step;
  const float* b;  ///< row k of the columns of B in use at k · b_step
  std::ptrdiff_t b_step;
  float* c;
  std::ptrdiff_t c_row;
  int depth;  ///< of the sum over k
};

/// `rows` rows of C, as many columns as the registers hold.
template <typename Lanes, int rows>
inline void product_in_registers(const Factors& f, bool add) {
  using Vector = typename Lanes::Vector;
  Vector sums[rows][2] = {};
  if (add) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      Lanes::load(f.c + i * f.c_row, sums[i][0]);
      Lanes::load(f.c + i * f.c_row + Lanes::lanes, sums[i][1]);
    }
  }
  const float* a = f.a;
  const float* b = f.b;
  for (int k = 0; k < f.depth; ++k, a += f.a_step, b += f.b_step) {
    Vector left;
    Vector right;
    Lanes::load(b, left);
    Lanes::load(b + Lanes::lanes, right);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const float factor = a[i * f.a_row];
      sums[i][0] += factor * left;
      sums[i][1] += factor * right;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
    Lanes::store(sums[i][0], f.c + i * f.c_row);
    Lanes::store(sums[i][1], f.c + i * f.c_row + Lanes::lanes);
  }
}

/// The last rows of C, fewer than the registers hold.
template <typename Lanes, int most>
inline void product_of_rest(const Factors& f, int rows, bool add) {
  if constexpr (most > 0) {
    if (rows == most) {
      product_in_registers<Lanes, most>(f, add);
    } else {
      product_of_rest<Lanes, most - 1>(f, rows, add);
    }
  }
}

/// All rows of the columns of C that the registers hold.
template <typename Lanes>
inline void multiply_columns(Factors f, int rows, bool add) {
  for (; rows >= Lanes::rows; rows -= Lanes::rows) {
    product_in_registers<Lanes, Lanes::rows>(f, add);
    f.a += Lanes::rows * f.a_row;
    f.c += Lanes::rows * f.c_row;
  }
  product_of_rest<Lanes, Lanes::rows - 1>(f, rows, add);
}

}  // namespace relic::winograd
