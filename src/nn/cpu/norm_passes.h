// BatchNorm's passes over the rows of one thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nn/cpu/channels.h"

namespace relic::cpu_norm {

/// What tells, on the way back, which values ReLU let pass.
enum class Passed : std::uint8_t { all, by_x, by_y };

/// Those of one thread, of a matrix with so many channels.
struct Rows {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t channels;
};

/// What a gradient's passes look at: whole arrays, [rows, channels] or [channels].
template <typename Value>
struct Gradient {
  const Value* x;
  const Value* y;  ///< for Passed::by_y
  const Value* y_gradient;
  const float* scale;
  const float* shift;
  const float* mean;
  Value* kept;  ///< out: the gradient that ReLU lets pass; or null
};

/// Sums are float32 over a block of rows, which stays in the caches, and float64 over blocks. Pointers are to whole
/// arrays, as in Gradient.
template <typename Lanes, typename Value>
struct NormPasses {
  using Vector = typename Lanes::Vector;
  static constexpr std::int64_t lanes = Lanes::lanes;

  /// Of a thread's rows: means, and sums of squared deviations from them (Chan, Golub and LeVeque 1979).
  static void moments(Rows rows, const Value* x, double* mean, double* squares) {
    alignas(64) float block_mean[kMostChannels];
    alignas(64) float block_squares[kMostChannels];
    std::fill_n(mean, rows.channels, 0.0);
    std::fill_n(squares, rows.channels, 0.0);
    for_each_block(rows, [&](const Rows& block) {
      for_each_group(rows.channels, [&]<int vectors>(std::int64_t channel, Count<vectors>) {
        block_moments<vectors>(block, x + channel, block_mean + channel, block_squares + channel);
      });
      const auto before = static_cast<double>(block.begin - rows.begin);
      const auto count = static_cast<double>(block.end - block.begin);
      const double weight = count / (before + count);
      for (std::int64_t c = 0; c < rows.channels; ++c) {
        const double shift = static_cast<double>(block_mean[c]) - mean[c];
        mean[c] += shift * weight;
        squares[c] += static_cast<double>(block_squares[c]) + shift * shift * (before * weight);
      }
    });
  }

  /// y = x·scale + shift, plus the shortcut, and ReLU.
  template <bool relu, bool added>
  static void apply(Rows rows, const Value* x, const Value* shortcut, const float* scale, const float* shift,
                    Value* y) {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      for (std::int64_t c = 0; c < rows.channels; c += lanes) {
        const std::int64_t at = row * rows.channels + c;
        Vector z;
        scale_and_shift(x + at, scale + c, shift + c, z);
        if constexpr (added) {
          Vector other;
          Lanes::load(shortcut + at, other);
          z += other;
        }
        if constexpr (relu)
          z = z < Vector{} ? Vector{} : z;  // A NaN stays one: a training that failed must be seen to.
        Lanes::store(z, y + at);
      }
    }
  }

  /// Sums of the gradient dz that ReLU lets pass, and of dz·(x − mean).
  template <Passed passed>
  static void gradient_sums(Rows rows, Gradient<Value> of, double* sums, double* products) {
    alignas(64) float block_sums[kMostChannels];
    alignas(64) float block_products[kMostChannels];
    std::fill_n(sums, rows.channels, 0.0);
    std::fill_n(products, rows.channels, 0.0);
    for_each_block(rows, [&](const Rows& block) {
      for_each_group(rows.channels, [&]<int vectors>(std::int64_t channel, Count<vectors>) {
        block_gradient_sums<vectors, passed>(block, of, channel, block_sums + channel, block_products + channel);
      });
      for (std::int64_t c = 0; c < rows.channels; ++c) {
        sums[c] += static_cast<double>(block_sums[c]);
        products[c] += static_cast<double>(block_products[c]);
      }
    });
  }

  /// dx = dz·scale + (x − mean)·of_x + constant.
  template <Passed passed>
  static void apply_gradient(Rows rows, Gradient<Value> of, const float* of_x, const float* constant,
                             Value* x_gradient) {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      for (std::int64_t c = 0; c < rows.channels; c += lanes) {
        const std::int64_t at = row * rows.channels + c;
        Vector gradient;
        Vector x;
        Vector mean;
        Vector factor;
        Vector slope;
        Vector rest;
        load_gradient<passed>(of, at, c, gradient);
        Lanes::load(of.x + at, x);
        Lanes::load(of.scale + c, factor);
        Lanes::load(of_x + c, slope);
        Lanes::load(constant + c, rest);
        Lanes::load(of.mean + c, mean);
        gradient = gradient * factor + ((x - mean) * slope + rest);
        Lanes::store(gradient, x_gradient + at);
      }
    }
  }

 private:
  template <int vectors>
  struct Count {};

  /// Calls take(block) for the rows, as many at a time as the caches hold.
  template <typename Take>
  static void for_each_block(const Rows& rows, const Take& take) {
    constexpr std::int64_t values = 16384;
    const auto most = std::clamp<std::int64_t>(values / rows.channels, 16, 256);
    for (std::int64_t begin = rows.begin; begin < rows.end; begin += most) {
      take(Rows{begin, std::min(begin + most, rows.end), rows.channels});
    }
  }

  /// Calls take(channel, Count<n>) for groups of four vectors, whose sums the registers hold, then for single ones.
  template <typename Take>
  static void for_each_group(std::int64_t channels, const Take& take) {
    std::int64_t channel = 0;
    for (; channel + 4 * lanes <= channels; channel += 4 * lanes) take(channel, Count<4>{});
    for (; channel < channels; channel += lanes) take(channel, Count<1>{});
  }

  static void scale_and_shift(const Value* x, const float* scale, const float* shift, Vector& z) {
    Vector factor;
    Vector term;
    Lanes::load(x, z);
    Lanes::load(scale, factor);
    Lanes::load(shift, term);
    z = z * factor + term;
  }

  template <Passed passed>
  static void load_gradient(const Gradient<Value>& of, std::int64_t at, std::int64_t channel, Vector& gradient) {
    Lanes::load(of.y_gradient + at, gradient);
    if constexpr (passed == Passed::by_x) {
      Vector z;
      scale_and_shift(of.x + at, of.scale + channel, of.shift + channel, z);
      gradient = z <= Vector{} ? Vector{} : gradient;
    } else if constexpr (passed == Passed::by_y) {
      Vector y;
      Lanes::load(of.y + at, y);
      gradient = y <= Vector{} ? Vector{} : gradient;
    }
  }

  template <int vectors>
  static void block_moments(Rows block, const Value* x, float* mean, float* squares) {
    const auto count = static_cast<float>(block.end - block.begin);
    Vector sums[vectors] = {};
    for (std::int64_t row = block.begin; row < block.end; ++row) {
      for (int i = 0; i < vectors; ++i) {
        Vector value;
        Lanes::load(x + row * block.channels + i * lanes, value);
        sums[i] += value;
      }
    }
    Vector deviations[vectors] = {};
    for (int i = 0; i < vectors; ++i) sums[i] /= count;
    for (std::int64_t row = block.begin; row < block.end; ++row) {
      for (int i = 0; i < vectors; ++i) {
        Vector value;
        Lanes::load(x + row * block.channels + i * lanes, value);
        value -= sums[i];
        deviations[i] += value * value;
      }
    }
    for (int i = 0; i < vectors; ++i) {
      Lanes::store(sums[i], mean + i * lanes);
      Lanes::store(deviations[i], squares + i * lanes);
    }
  }

  template <int vectors, Passed passed>
  static void block_gradient_sums(Rows block, const Gradient<Value>& of, std::int64_t channel, float* to_sums,
                                  float* to_products) {
    Vector sums[vectors] = {};
    Vector products[vectors] = {};
    Vector means[vectors];
    for (int i = 0; i < vectors; ++i) Lanes::load(of.mean + channel + i * lanes, means[i]);
    for (std::int64_t row = block.begin; row < block.end; ++row) {
      for (int i = 0; i < vectors; ++i) {
        const std::int64_t c = channel + i * lanes;
        const std::int64_t at = row * block.channels + c;
        Vector gradient;
        load_gradient<passed>(of, at, c, gradient);
        if (of.kept != nullptr) Lanes::store(gradient, of.kept + at);
        Vector x;
        Lanes::load(of.x + at, x);
        sums[i] += gradient;
        products[i] += gradient * (x - means[i]);
      }
    }
    for (int i = 0; i < vectors; ++i) {
      Lanes::store(sums[i], to_sums + i * lanes);
      Lanes::store(products[i], to_products + i * lanes);
    }
  }
};

}  // namespace relic::cpu_norm
