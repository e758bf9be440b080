// The working memory of a view as one piece, for groups that have little of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "views/chain.h"

namespace relic::ops {

/// Where the parts of ChainMemory lie, bytes. The blur comes after the resize and takes its place.
struct Arena {
  std::size_t half_resized = 0;
  std::size_t resized = 0;
  std::size_t planes = 0;
  std::size_t bytes = 0;
};

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

/// For every view of an image of that size, by a group that does not copy the crop.
template <typename Group>
constexpr Arena arena_of(const ViewSpec& spec, int width, int height) {
  static_assert(!Group::copies_crop);
  ViewParams whole;
  whole.width = width;
  whole.height = height;
  const ChainSizes sizes = chain_sizes<Group>(spec, whole);
  Arena arena;
  arena.half_resized = aligned(sizes.taps * sizeof(int));
  arena.resized = arena.half_resized + aligned(sizes.half_resized);
  const std::size_t resize_end = arena.resized + aligned(sizes.resized);
  const std::size_t blur_end = arena.half_resized + aligned(sizes.blur * sizeof(float));
  arena.planes = resize_end > blur_end ? resize_end : blur_end;
  arena.bytes = arena.planes + aligned(sizes.planes);
  return arena;
}

/// `memory`: arena.bytes, at an address that is a multiple of 16.
template <typename Byte>
constexpr ChainMemory chain_memory(const Arena& arena, Byte* memory) {
  ChainMemory parts;
  parts.taps = reinterpret_cast<int*>(memory);
  parts.half_resized = memory + arena.half_resized;
  parts.resized = memory + arena.resized;
  parts.planes = memory + arena.planes;
  parts.blur = reinterpret_cast<float*>(memory + arena.half_resized);
  return parts;
}

}  // namespace relic::ops
