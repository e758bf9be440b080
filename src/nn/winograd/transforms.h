// Products of small constant matrices with vectors, for all tiles of a convolution.
#pragma once

#include <utility>

#include "nn/winograd/minimal_filter.h"

namespace relic::winograd {

/// Row `row` of `matrix` times the vectors in[0], in[stride], …; zeros cost nothing.
template <const auto& matrix, int row, int stride, int column, bool begun, typename Vector, int columns>
inline void add_row(const Vector* in, Vector& sum) {
  if constexpr (column < columns) {
    constexpr float factor = matrix.at[row][column];
    if constexpr (factor == 0) {
      add_row<matrix, row, stride, column + 1, begun, Vector, columns>(in, sum);
    } else {
      const Vector& x = in[column * stride];
      if constexpr (!begun) {
        if constexpr (factor == 1) {
          sum = x;
        } else {
          sum = factor * x;
        }
      } else if constexpr (factor == 1) {
        sum += x;
      } else if constexpr (factor == -1) {
        sum -= x;
      } else {
        sum += factor * x;
      }
      add_row<matrix, row, stride, column + 1, true, Vector, columns>(in, sum);
    }
  }
}

/// out[i · out_stride] = Σ matrix[i][k] · in[k · in_stride].
template <const auto& matrix, int in_stride, int out_stride, typename Vector, int row = 0, int rows, int columns>
inline void multiply(const Matrix<rows, columns>& shape, const Vector* in, Vector* out) {
  if constexpr (row < rows) {
    add_row<matrix, row, in_stride, 0, false, Vector, columns>(in, out[row * out_stride]);
    multiply<matrix, in_stride, out_stride, Vector, row + 1>(shape, in, out);
  }
}

/// The lanes of a and b in turns, those of their first halves and those of their second ones.
template <typename Vector, int... lane>
inline void interleave(const Vector& a, const Vector& b, Vector& first, Vector& second,
                       std::integer_sequence<int, lane...> /*lanes*/) {
  constexpr int lanes = sizeof...(lane);
  first = __builtin_shufflevector(a, b, (lane / 2 + lane % 2 * lanes)...);
  second = __builtin_shufflevector(a, b, (lane / 2 + lane % 2 * lanes + lanes / 2)...);
}

/// Makes rows columns: interleaved as often as halving a vector leaves one lane, vectors have changed places with
/// lanes.
template <typename Lanes>
inline void transpose(typename Lanes::Vector (&square)[Lanes::lanes]) {
  constexpr int lanes = Lanes::lanes;
  for (int rest = lanes; rest > 1; rest /= 2) {
    typename Lanes::Vector next[lanes];
    for (int i = 0; i < lanes / 2; ++i) {
      interleave(square[i], square[i + lanes / 2], next[2 * i], next[2 * i + 1],
                 std::make_integer_sequence<int, lanes>());
    }
    for (int i = 0; i < lanes; ++i) square[i] = next[i];
  }
}

/// matrix · in · matrixᵀ, of [columns, columns] vectors to [rows, rows].
template <const auto& matrix, typename Vector, int rows, int columns>
inline void transform(const Matrix<rows, columns>& shape, const Vector* in, Vector* out) {
  Vector half[rows * columns];
  // The loops' lengths are constants, and the arrays become registers where they fit.
  for (int j = 0; j < columns; ++j) multiply<matrix, columns, columns>(shape, in + j, half + j);
  for (int i = 0; i < rows; ++i) multiply<matrix, 1, 1>(shape, half + i * columns, out + i * rows);
}

}  // namespace relic::winograd
