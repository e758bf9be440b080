// Renders the views of a batch on a GPU (C++17, no LibTorch).
#pragma once

#include <cstddef>
#include <cstdint>

#include "relic/views/view_spec.h"

struct CUstream_st;

namespace relic {

/// Images of one size in the GPU's memory, one after another, height × width × 3 bytes each. Past the last one
/// `read_ahead` bytes more are readable.
struct ResidentImages {
  const std::uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;

  [[nodiscard]] constexpr std::int64_t image_bytes() const { return std::int64_t{3} * width * height; }
  [[nodiscard]] constexpr std::int64_t read_ahead() const { return std::int64_t{3} * width + 4; }
};

enum class ViewType : std::uint8_t { float32, float16, bfloat16 };

/// One kind of view of a batch of images.
struct ViewBatch {
  ViewSpec spec{};
  int first_view = 0;  ///< its number among all views of an image
  int views = 0;
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  const std::int64_t* samples = nullptr;  ///< [images], in the GPU's memory
  int images = 0;
  void* out = nullptr;  ///< [views · images, size, size, 3] of `type`, in [0, 1]
  ViewType type = ViewType::float32;
};

/// How a kind of view is rendered on the current GPU: a block of threads each, with working memory in the
/// multiprocessor, or, where that is too small, in the GPU's memory.
struct RenderPlan {
  int threads = 0;
  int blocks = 0;  ///< at most; each renders one view after another
  std::size_t arena_bytes = 0;
  std::size_t scratch_bytes = 0;  ///< of the GPU's memory, for all blocks; 0: the multiprocessor's is enough
};

/// `shared_bytes`: a multiprocessor's memory that a block may take at most; −1: what the GPU has.
RenderPlan plan_render(const ViewSpec& spec, const ResidentImages& images, std::int64_t shared_bytes = -1);

/// Draws and renders, in `stream`. The same views as draw_view and render_view give (the blur's weights may differ in
/// their last bit, and with them a rounding). Throws Error where the GPU refuses.
void render_batch(const ResidentImages& images, const ViewBatch& batch, const RenderPlan& plan, std::uint8_t* scratch,
                  CUstream_st* stream);

}  // namespace relic
