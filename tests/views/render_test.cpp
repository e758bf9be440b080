// Whole views against the chain of PIL and torchvision.
#include "relic/views/render.h"

#include <gtest/gtest.h>

#include "augment_fixtures.h"
#include "relic/core/random.h"
#include "views/arena.h"
#include "views/render_variants.h"

namespace relic {
namespace {

using testing::Distance;

struct Fixture {
  ViewSpec spec;
  ViewParams params;
};

Fixture parse(const nlohmann::json& json) {
  Fixture fixture;
  fixture.spec.size = json.at("size");
  fixture.spec.blur_kernel = json.at("kernel");
  fixture.spec.solarize_threshold = json.at("threshold");
  ViewParams& params = fixture.params;
  params.top = json.at("top");
  params.left = json.at("left");
  params.height = json.at("height");
  params.width = json.at("width");
  params.flip = json.at("hflip");
  params.jitter = json.at("jitter");
  for (std::size_t i = 0; i < 4; ++i) params.order[i] = static_cast<JitterOp>(json.at("order").at(i).get<int>());
  params.brightness = json.at("brightness");
  params.contrast = json.at("contrast");
  params.saturation = json.at("saturation");
  params.hue = json.at("hue");
  params.gray = json.at("grayscale");
  params.sigma = json.at("sigma");
  params.solarize = json.at("solarize");
  return fixture;
}

std::vector<std::uint8_t> render(const RenderVariant& variant, const Image& image, const Fixture& fixture,
                                 RenderScratch& scratch) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(3 * fixture.spec.size * fixture.spec.size));
  variant.render(image.ref(), fixture.spec, fixture.params, scratch, out.data());
  return out;
}

void compare_views(const std::string& folder_name, int count) {
  const auto folder = testing::test_data() / folder_name;
  for (const RenderVariant& variant : render_variants()) {
    RenderScratch scratch;
    int seen = 0;
    for (const auto& entry : testing::read_json(folder / "index.json")) {
      if (entry.at("op") != "view") continue;
      const Image input = testing::read_png(folder / entry.at("input").get<std::string>());
      const Image expected = testing::read_png(folder / entry.at("output").get<std::string>());
      Distance distance;
      distance.add(render(variant, input, parse(entry.at("params")), scratch), expected.pixels);
      distance.print(std::string(variant.name) + " " + entry.at("output").get<std::string>());
      EXPECT_LT(distance.mean, 0.5) << variant.name << entry;
      EXPECT_GE(distance.share_within(1), 0.999) << variant.name << entry;
      ++seen;
    }
    EXPECT_EQ(seen, count);
  }
}

TEST(RenderView, MatchesThePilChain) { compare_views("augment", 18); }

TEST(RenderView, MatchesThePilChainAtTheSizesOfLargerDataSets) { compare_views("augment_large", 12); }

TEST(RenderView, GivesTheSameBytesForEveryVectorUnit) {
  const auto variants = render_variants();
  ASSERT_FALSE(variants.empty());
  std::vector<RenderScratch> scratches(variants.size());
  for (const int side : {9, 32, 50, 130}) {
    CounterRng rng(7, 0, 0, static_cast<std::uint32_t>(side));
    Image image;
    image.resize(side, side + 3);
    for (auto& value : image.pixels) value = static_cast<std::uint8_t>(rng.below(256));
    const MultiCropSpec views = multi_crop_for(side, 2, 4);
    for (int i = 0; i < 60; ++i) {
      const Fixture fixture{views.of(i % 6), draw_view(views.of(i % 6), {7, 0, i, i % 6}, image.width, image.height)};
      const auto reference = render(variants.back(), image, fixture, scratches.back());
      for (std::size_t v = 0; v + 1 < variants.size(); ++v) {
        EXPECT_EQ(render(variants[v], image, fixture, scratches[v]), reference)
            << variants[v].name << " against " << variants.back().name << ", side " << side << ", draw " << i;
      }
    }
  }
}

/// A block of threads, as far as one thread can be one: the elements of a phase come in an order of their own, and what
/// vector units want is left out.
struct ScatteredGroup {
  static constexpr int lanes = 1;
  static constexpr bool copies_crop = false;

  template <typename Element>
  constexpr void for_each(int count, const Element& element) const {
    constexpr int stride = 7;
    for (int start = stride - 1; start >= 0; --start) {
      for (int i = start; i < count; i += stride) element(i);
    }
  }
  template <typename Element>
  constexpr void for_each(int rows, int columns, const Element& element) const {
    for_each(rows * columns, [&](int i) { element(i / columns, i % columns); });
  }
  template <typename Term>
  constexpr unsigned sum(int count, const Term& term) const {
    unsigned total = 0;
    for_each(count, [&](int i) { total += term(i); });
    return total;
  }
};

TEST(RenderView, GivesTheSameBytesToAGroupOfThreadsInLittleMemory) {
  for (const int side : {9, 32, 50, 130}) {
    const int height = side + 3;
    CounterRng rng(8, 0, 0, static_cast<std::uint32_t>(side));
    Image image;
    image.resize(side, height);
    for (auto& value : image.pixels) value = static_cast<std::uint8_t>(rng.below(256));
    // Exactly what may be read past the image.
    std::vector<std::uint8_t> pixels = image.pixels;
    pixels.resize(pixels.size() + static_cast<std::size_t>(3 * side + 4), 255);
    const MultiCropSpec views = multi_crop_for(side, 2, 4);
    RenderScratch scratch;
    for (int i = 0; i < 120; ++i) {
      const ViewSpec& spec = views.of(i % 6);
      const auto params = draw_view(spec, {9, 0, i, i % 6}, side, height);
      const auto arena = ops::arena_of<ScatteredGroup>(spec, side, height);
      std::vector<int> memory((arena.bytes + sizeof(int) - 1) / sizeof(int), -1);
      std::vector<std::uint8_t> got(static_cast<std::size_t>(3 * spec.size * spec.size));
      ops::render(ScatteredGroup{}, {pixels.data(), side, height}, spec, params,
                  ops::chain_memory(arena, reinterpret_cast<std::uint8_t*>(memory.data())), got.data());
      ASSERT_EQ(got, render({"", render_view}, image, {spec, params}, scratch)) << "side " << side << ", draw " << i;
    }
  }
}

TEST(RenderView, DoesNotDependOnWhatTheScratchHeldBefore) {
  Image image;
  image.resize(40, 30);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * 7);
  const MultiCropSpec views = multi_crop_for(24, 2, 4);
  RenderScratch used;
  for (int i = 0; i < 30; ++i) {
    const Fixture fixture{views.of(i % 6), draw_view(views.of(i % 6), {3, 0, i, i % 6}, image.width, image.height)};
    RenderScratch fresh;
    fresh.pixels.assign(100'000, 0xAA);
    fresh.numbers.assign(100'000, 1e9F);
    fresh.indices.assign(100'000, 1 << 20);
    EXPECT_EQ(render(render_variants().front(), image, fixture, used),
              render(render_variants().front(), image, fixture, fresh));
  }
}

TEST(RenderView, KeepsAnImageOfOneColour) {
  Image image;
  image.resize(50, 20);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = std::array<std::uint8_t, 3>{255, 40, 0}[i % 3];
  ViewSpec spec;
  ViewParams params;
  params.width = 50;
  params.height = 20;
  params.sigma = 2;
  RenderScratch scratch;
  const auto out = render({"", render_view}, image, {spec, params}, scratch);
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], (std::array<std::uint8_t, 3>{255, 40, 0}[i % 3]));
}

}  // namespace
}  // namespace relic
