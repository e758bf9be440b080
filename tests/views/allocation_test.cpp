// That a view allocates nothing: this program counts what it allocates.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "relic/views/render.h"
#include "relic/views/view_params.h"
#include "relic/views/view_spec.h"
#include "support/hashed_images.h"
#include "views/render_variants.h"

namespace {

std::atomic<std::int64_t> allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto step = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(step, (size + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace relic {
namespace {

TEST(RenderView, AllocatesNothingOnceItsScratchHasGrown) {
  const testing::HashedImages dataset({{32, 32}, {50, 41}, {300, 200}});
  Image unused;
  for (const auto& variant : render_variants()) {
    RenderScratch scratch;
    std::vector<std::uint8_t> out(std::size_t{3} * 192 * 192);
    const auto render_all = [&](std::int64_t epoch) {
      for (std::int64_t sample = 0; sample < dataset.size(); ++sample) {
        const auto image = dataset.image(sample, unused);
        for (const int size : {32, 192}) {
          const auto spec = multi_crop_for(size, 2, 4);
          for (int view = 0; view < spec.count(); ++view) {
            const auto params = draw_view(spec.of(view), {7, epoch, sample, view}, image.width, image.height);
            variant.render(image, spec.of(view), params, scratch, out.data());
          }
        }
      }
    };
    constexpr std::int64_t kWarmUp = 40;
    for (std::int64_t epoch = 0; epoch < kWarmUp; ++epoch) render_all(epoch);
    const std::int64_t before = allocations;
    for (std::int64_t epoch = kWarmUp; epoch < 2 * kWarmUp; ++epoch) render_all(epoch);
    EXPECT_EQ(allocations, before) << variant.name;
    scratch = {};
    render_all(0);
    EXPECT_GT(allocations, before) << "they are not counted";
  }
}

}  // namespace
}  // namespace relic
