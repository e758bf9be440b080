// Time on one core of all views of one image (drawing and rendering, as a worker does it), and of each operation.
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
void add_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({32, 32, 32})->Args({96, 96, 96})->Args({192, 500, 375});
}

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
BENCHMARK(views_of_one_image)->Apply(add_sizes);

constexpr float kNoBlur = 1e-3F;  // a sigma whose kernel is a single pixel

/// A global view of the middle of the image, with nothing else done to it.
relic::ViewParams plain_view(const relic::Image& image) {
  return {.top = image.height / 8,
          .left = image.width / 8,
          .height = image.height * 3 / 4,
          .width = image.width * 3 / 4,
          .sigma = kNoBlur};
}

/// One operation on top of crop and resize, whose own time is the row `crop_resize`. Colour operations come four times.
void one_operation(benchmark::State& state, void (*choose)(relic::ViewParams&)) {
  const auto spec = relic::multi_crop_for(static_cast<int>(state.range(0)), 1, 0).global;
  const auto image = noise(static_cast<int>(state.range(1)), static_cast<int>(state.range(2)));
  relic::ViewParams params = plain_view(image);
  choose(params);
  relic::RenderScratch scratch;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * spec.size * spec.size));
  for (auto _ : state) {
    relic::render_view(image.ref(), spec, params, scratch, pixels.data());
    benchmark::DoNotOptimize(pixels.data());
  }
  state.SetItemsProcessed(state.iterations());
}

template <relic::JitterOp op>
void four_times(relic::ViewParams& params) {
  params.jitter = true;
  params.order.fill(op);
  params.brightness = params.contrast = params.saturation = 1.3F;
  params.hue = 0.1F;
}

BENCHMARK_CAPTURE(one_operation, crop_resize, [](relic::ViewParams&) {})->Apply(add_sizes);
BENCHMARK_CAPTURE(one_operation, flip, [](relic::ViewParams& params) { params.flip = true; })->Apply(add_sizes);
BENCHMARK_CAPTURE(one_operation, brightness_4x, four_times<relic::JitterOp::brightness>)->Apply(add_sizes);
BENCHMARK_CAPTURE(one_operation, contrast_4x, four_times<relic::JitterOp::contrast>)->Apply(add_sizes);
BENCHMARK_CAPTURE(one_operation, saturation_4x, four_times<relic::JitterOp::saturation>)->Apply(add_sizes);
BENCHMARK_CAPTURE(one_operation, hue_4x, four_times<relic::JitterOp::hue>)->Apply(add_sizes);
BENCHMARK_CAPTURE(one_operation, grayscale, [](relic::ViewParams& params) { params.gray = true; })->Apply(add_sizes);
BENCHMARK_CAPTURE(one_operation, blur, [](relic::ViewParams& params) { params.sigma = 1; })->Apply(add_sizes);
BENCHMARK_CAPTURE(one_operation, solarize, [](relic::ViewParams& params) { params.solarize = true; })->Apply(add_sizes);

}  // namespace
