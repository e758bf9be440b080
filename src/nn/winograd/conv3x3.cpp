#include "nn/winograd/conv3x3.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "nn/cpu/targets.h"
#include "nn/winograd/lanes.h"
#include "nn/winograd/steps.h"

namespace relic::winograd {

using AnyFilter = MinimalFilter<Stride::one, 2>;  // whichever: types of steps are those of all

template <typename Value>
struct TileKernels {
  decltype(&TileSteps<Avx2Lanes, AnyFilter, Value>::convolve_tiles) convolve_tiles;
  decltype(&TileSteps<Avx2Lanes, AnyFilter, Value>::add_taps_gradient) add_taps_gradient;
};

struct Kernels {
  const char* vectors;
  int columns;  ///< channels come in multiples of it
  Stride stride;
  int tile;    ///< outputs of a tile, down and across
  int points;  ///< values of a transformed tile
  decltype(&TapSteps<Avx2Lanes, AnyFilter>::transform_taps) transform_taps;
  decltype(&TapSteps<Avx2Lanes, AnyFilter>::taps_from_transformed) taps_from_transformed;
  TileKernels<float> of_float;
  TileKernels<Bfloat16> of_bfloat16;

  template <typename Value>
  [[nodiscard]] const TileKernels<Value>& of() const {
    if constexpr (std::is_same_v<Value, float>) {
      return of_float;
    } else {
      return of_bfloat16;
    }
  }
};

namespace {

template <typename On, typename S>
constexpr TileKernels<typename S::PixelValue> compiled_tiles{On::template run<S::convolve_tiles>,
                                                             On::template run<S::add_taps_gradient>};

template <typename On, typename Lanes, Stride stride, int tile,
          typename S = TapSteps<Lanes, MinimalFilter<stride, tile>>>
constexpr Kernels compiled{Lanes::columns == Avx512Lanes::columns ? "avx512" : "avx2",
                           Lanes::columns,
                           stride,
                           tile,
                           S::points,
                           On::template run<S::transform_taps>,
                           On::template run<S::taps_from_transformed>,
                           compiled_tiles<On, TileSteps<Lanes, MinimalFilter<stride, tile>, float>>,
                           compiled_tiles<On, TileSteps<Lanes, MinimalFilter<stride, tile>, Bfloat16>>};

template <typename On, typename Lanes>
void add_kernels(std::vector<const Kernels*>& found) {
  if (!On::available()) return;
  found.push_back(&compiled<On, Lanes, Stride::one, 4>);
  found.push_back(&compiled<On, Lanes, Stride::one, 2>);
  found.push_back(&compiled<On, Lanes, Stride::two, 2>);
  found.push_back(&compiled<On, Lanes, Stride::half, 4>);
}

std::vector<const Kernels*> find_kernels() {
  std::vector<const Kernels*> found;
  add_kernels<OnAvx512, Avx512Lanes>(found);
  add_kernels<OnAvx2, Avx2Lanes>(found);
  return found;
}

std::int64_t tile_count(const ConvShape& shape, const Kernels& kernels) {
  return shape.images * ratio_up(shape.out_height, kernels.tile) * ratio_up(shape.out_width, kernels.tile);
}

bool fits(const Kernels& kernels, const ConvShape& shape) {
  const auto fills = [&kernels](std::int64_t channels) {
    return channels % kernels.columns == 0 && channels <= kMostChannels;
  };
  return kernels.stride == shape.stride && fills(shape.in) && fills(shape.out);
}

/// All tiles in `parts` shares of one thread each, which handles its share `block` tiles at a time: few, so that their
/// transformed values stay in its caches, but enough for what is read or written again for each block.
struct Shares {
  std::int64_t tiles;
  std::int64_t share;
  std::int64_t parts;
  std::int64_t block;

  /// At most `enough` tiles at a time; of few channels as many as the second cache holds.
  Shares(const Kernels& kernels, const ConvShape& shape, std::int64_t most_parts, std::int64_t enough)
      : tiles(tile_count(shape, kernels)), share(ratio_up(tiles, most_parts)), parts(ratio_up(tiles, share)) {
    constexpr std::int64_t most_floats = std::int64_t{1} << 17U;
    const std::int64_t most = std::max(enough, most_floats / (kernels.points * (shape.in + shape.out)));
    block = ratio_up(share, ratio_up(share, most));
  }
  /// Calls take(part, begin, end) for all blocks of all parts, those of a part one after another.
  template <typename Take>
  void for_each_block(const Take& take) const {
    at::parallel_for(0, parts, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t part = first; part < last; ++part) {
        const std::int64_t stop = std::min((part + 1) * share, tiles);
        for (std::int64_t begin = part * share; begin < stop; begin += block) {
          take(part, begin, std::min(begin + block, stop));
        }
      }
    });
  }
};

}  // namespace

const std::vector<const Kernels*>& kernels() {
  static const auto found = find_kernels();
  return found;
}

Stride stride_of(const Kernels& kernels) { return kernels.stride; }

std::string name_of(const Kernels& kernels) {
  constexpr const char* strides[] = {"", ", stride 2", ", stride 1/2"};
  const std::string tile = std::to_string(kernels.tile);
  return std::string(kernels.vectors) + ' ' + tile + 'x' + tile + strides[static_cast<int>(kernels.stride)];
}

const Kernels* fastest_kernels(const ConvShape& shape) {
  // Transforming the taps takes as long as the products of that many tiles.
  constexpr std::int64_t taps_in_tiles = 200;
  const auto cost = [&shape](const Kernels& kernels) {
    return kernels.points * (tile_count(shape, kernels) + taps_in_tiles);
  };
  const Kernels* fastest = nullptr;
  for (const Kernels* candidate : kernels()) {
    if (!fits(*candidate, shape)) continue;
    // Elsewhere narrower vectors lose more than these filters save.
    if (shape.stride != Stride::one && candidate->columns < kernels().front()->columns) continue;
    const bool wider = fastest != nullptr && fastest->columns > candidate->columns;
    if (fastest == nullptr || (!wider && cost(*candidate) < cost(*fastest))) fastest = candidate;
  }
  return fastest;
}

template <typename Value>
void convolve(const Kernels& kernels, const ConvShape& shape, const Value* x, const Taps& taps, Value* y) {
  const std::int64_t taps_size = kernels.points * shape.in * shape.out;
  // The larger the transformed taps, the farther away is the cache that they are read from.
  const Shares shares(kernels, shape, at::get_num_threads(), std::clamp<std::int64_t>(taps_size >> 15U, 28, 224));
  const std::int64_t size = kernels.points * shares.block * (shape.in + shape.out);
  const at::Tensor transformed_taps = at::empty({taps_size}, at::kFloat);
  const at::Tensor memory = at::empty({shares.parts, size}, at::kFloat);
  float* const u = transformed_taps.data_ptr<float>();
  const std::int64_t lanes = kernels.columns / 2;
  at::parallel_for(0, shape.in / lanes, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) kernels.transform_taps(shape, taps, k * lanes, u);
  });
  float* const all_memory = memory.data_ptr<float>();
  shares.for_each_block([&](std::int64_t part, std::int64_t begin, std::int64_t end) {
    kernels.of<Value>().convolve_tiles(shape, x, u, begin, end, all_memory + part * size, y);
  });
}

template <typename Value>
void taps_gradient(const Kernels& kernels, const ConvShape& shape, const Value* x, const Value* y_gradient,
                   float* gradient) {
  // Each part has a sum of its own, as large as the transformed taps, which must be worth its tiles and its memory.
  constexpr std::int64_t least_share = 64;
  constexpr std::int64_t most_floats = std::int64_t{1} << 26U;
  const std::int64_t sum_size = kernels.points * shape.in * shape.out;
  const std::int64_t most_parts = std::clamp<std::int64_t>(
      std::min(tile_count(shape, kernels) / least_share, most_floats / sum_size), 1, at::get_num_threads());
  const Shares shares(kernels, shape, most_parts, /*enough=*/48);
  const std::int64_t size = kernels.points * shares.block * (shape.in + shape.out);
  const at::Tensor memory = at::empty({shares.parts, size}, at::kFloat);
  const at::Tensor sums = at::empty({shares.parts, sum_size}, at::kFloat);
  float* const all_memory = memory.data_ptr<float>();
  float* const all_sums = sums.data_ptr<float>();
  shares.for_each_block([&](std::int64_t part, std::int64_t begin, std::int64_t end) {
    const bool add = begin > part * shares.share;
    kernels.of<Value>().add_taps_gradient(shape, x, y_gradient, begin, end, add, all_memory + part * size,
                                          all_sums + part * sum_size);
  });
  at::parallel_for(0, shape.in / kernels.columns * shape.out, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      kernels.taps_from_transformed(shape, all_sums, shares.parts, k % shape.out, k / shape.out * kernels.columns,
                                    gradient);
    }
  });
}

template void convolve(const Kernels&, const ConvShape&, const float*, const Taps&, float*);
template void convolve(const Kernels&, const ConvShape&, const Bfloat16*, const Taps&, Bfloat16*);
template void taps_gradient(const Kernels&, const ConvShape&, const float*, const float*, float*);
template void taps_gradient(const Kernels&, const ConvShape&, const Bfloat16*, const Bfloat16*, float*);

}  // namespace relic::winograd
