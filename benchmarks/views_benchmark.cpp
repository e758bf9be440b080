// Time of all views of one image on one core: drawing and rendering, as a worker does it.
//   views_benchmark --benchmark_format=json
#include <benchmark/benchmark.h>

#include "relic/core/random.h"
#include "relic/views/render.h"
#include "relic/views/view_params.h"
#include "relic/views/view_spec.h"

namespace {

relic::Image noise(int width, int height) {
  relic::Image image;
  image.resize(width, height);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(relic::splitmix64(i));
  }
  return image;
}

/// Arguments: side of a global view, width and height of the image.
void views_of_one_image(benchmark::State& state) {
  const auto spec = relic::multi_crop_for(static_cast<int>(state.range(0)), 2, 4);
  const auto image = noise(static_cast<int>(state.range(1)), static_cast<int>(state.range(2)));
  relic::RenderScratch scratch;
  std::vector<std::uint8_t> pixels;
  std::int64_t sample = 0;
  for (auto _ : state) {
    for (int view = 0; view < spec.count(); ++view) {
      const auto& kind = spec.of(view);
      const auto params = relic::draw_view(kind, {42, 0, sample, view}, image.width, image.height);
      pixels.resize(static_cast<std::size_t>(3 * kind.size * kind.size));
      relic::render_view(image.ref(), kind, params, scratch, pixels.data());
      benchmark::DoNotOptimize(pixels.data());
    }
    ++sample;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(views_of_one_image)->Args({32, 32, 32})->Args({96, 96, 96})->Args({192, 500, 375});

}  // namespace
