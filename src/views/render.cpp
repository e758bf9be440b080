#include "relic/views/render.h"

#include "views/chain.h"
#include "views/render_variants.h"

namespace relic {

namespace {

template <typename Value>
Value* at_least(std::vector<Value>& memory, std::size_t size) {
  if (memory.size() < size) memory.resize(size);
  return memory.data();
}

inline void render_serially(const ImageRef& image, const ViewSpec& spec, const ViewParams& params,
                            RenderScratch& scratch, std::uint8_t* out) {
  const auto sizes = ops::chain_sizes<ops::SerialGroup>(spec, params);
  ops::ChainMemory memory;
  memory.crop = at_least(scratch.pixels, sizes.crop + sizes.half_resized + sizes.resized + sizes.planes);
  memory.half_resized = memory.crop + sizes.crop;
  memory.resized = memory.half_resized + sizes.half_resized;
  memory.planes = memory.resized + sizes.resized;
  memory.taps = at_least(scratch.indices, sizes.taps);
  memory.blur = at_least(scratch.numbers, sizes.blur);
  ops::render(ops::SerialGroup{}, image, spec, params, memory, out);
}

// Flattened, so that everything inside is compiled for the function's own vector unit.
[[gnu::flatten]] void render_baseline(const ImageRef& image, const ViewSpec& spec, const ViewParams& params,
                                      RenderScratch& scratch, std::uint8_t* out) {
  render_serially(image, spec, params, scratch, out);
}

#if defined(__x86_64__) && defined(__GNUC__)
[[gnu::flatten, gnu::target("avx2")]] void render_avx2(const ImageRef& image, const ViewSpec& spec,
                                                       const ViewParams& params, RenderScratch& scratch,
                                                       std::uint8_t* out) {
  render_serially(image, spec, params, scratch, out);
}

[[gnu::flatten, gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] void render_avx512(
    const ImageRef& image, const ViewSpec& spec, const ViewParams& params, RenderScratch& scratch, std::uint8_t* out) {
  render_serially(image, spec, params, scratch, out);
}
#endif

}  // namespace

std::vector<RenderVariant> render_variants() {
  std::vector<RenderVariant> variants;
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    variants.push_back({"avx512", render_avx512});
  }
  if (__builtin_cpu_supports("avx2")) variants.push_back({"avx2", render_avx2});
#endif
  variants.push_back({"baseline", render_baseline});
  return variants;
}

void render_view(const ImageRef& image, const ViewSpec& spec, const ViewParams& params, RenderScratch& scratch,
                 std::uint8_t* out) {
  static const auto fastest = render_variants().front().render;
  fastest(image, spec, params, scratch, out);
}

}  // namespace relic
