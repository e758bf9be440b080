// Views that the GPU renders against those of the CPU.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "relic/core/error.h"
#include "relic/views/view_source.h"
#include "support/hashed_images.h"
#include "support/temporary_folder.h"
#include "views/cuda/render_batch.h"

namespace relic {
namespace {

const torch::Device gpu(torch::kCUDA, 0);

/// Smooth pictures of one size: what a filter rounds differently, it rounds differently on noise and on gradients.
class SmoothImages final : public testing::HashedImages {
 public:
  SmoothImages(std::size_t count, int width, int height)
      : HashedImages(std::vector<std::pair<int, int>>(count, {width, height})) {}
  ImageRef image(std::int64_t index, Image& scratch) const override {
    HashedImages::image(index, scratch);
    for (int y = 0; y < scratch.height; ++y) {
      for (int x = 0; x < scratch.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          auto& value = scratch.pixels[static_cast<std::size_t>(3 * (y * scratch.width + x) + c)];
          value =
              static_cast<std::uint8_t>((value / 4 + (2 + c) * x + (5 - c) * y + 17 * static_cast<int>(index)) & 255);
        }
      }
    }
    return scratch.ref();
  }
};

constexpr std::int64_t kBatch = 24;
constexpr std::int64_t kSteps = 5;

ViewSourceOptions options(const torch::Device& device) {
  ViewSourceOptions result;
  result.batch_size = kBatch;
  result.seed = 7;
  result.first_step = 1;
  result.last_step = kSteps;
  result.workers = 4;
  result.device = device;
  return result;
}

struct Agreement {
  std::int64_t values = 0;
  std::int64_t equal = 0;
  std::int64_t within_one = 0;

  void add(const torch::Tensor& got, const torch::Tensor& expected) {
    ASSERT_EQ(got.sizes(), expected.sizes());
    ASSERT_TRUE(got.is_contiguous(torch::MemoryFormat::ChannelsLast));
    const auto steps = ((got.cpu() - expected).abs() * 255).round();
    values += steps.numel();
    equal += (steps == 0).sum().item<std::int64_t>();
    within_one += (steps <= 1).sum().item<std::int64_t>();
  }
};

void compare(int width, int height, int view_size) {
  const SmoothImages dataset(60, width, height);
  const auto spec = multi_crop_for(view_size, 2, 4);
  const auto on_gpu = make_resident_view_source(dataset, spec, options(gpu));
  const auto on_cpu = make_cpu_view_source(dataset, spec, options(torch::kCPU));
  Agreement agreement;
  for (std::int64_t step = 1; step < kSteps; ++step) {  // two batches an epoch
    const auto got = on_gpu->next();
    const auto expected = on_cpu->next();
    ASSERT_EQ(got.samples, expected.samples);
    agreement.add(got.global, expected.global);
    agreement.add(got.local, expected.local);
  }
  const auto share = [&](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(agreement.values);
  };
  std::printf("  %d x %d to %d: %.5f %% equal, %.5f %% within 1/255\n", width, height, view_size,
              100 * share(agreement.equal), 100 * share(agreement.within_one));
  EXPECT_GE(share(agreement.within_one), 0.999);
  EXPECT_GE(share(agreement.equal), 0.999);
}

TEST(ResidentViewSource, GivesTheCpusViews) {
  compare(32, 32, 32);    // CIFAR-10
  compare(96, 96, 96);    // STL-10
  compare(40, 25, 32);    // wide
  compare(20, 61, 48);    // high
  compare(256, 200, 96);  // images that no multiprocessor's memory holds
}

TEST(ResidentViewSource, GivesTheCpusViewsWhereWorkingMemoryLiesOutsideTheMultiprocessor) { compare(224, 224, 192); }

TEST(RenderBatch, GivesTheSameFromAnyMemory) {
  constexpr int count = 3;
  const auto pixels =
      torch::randint(256, {5 * 3 * 20 * 24 + 3 * 20 + 4}, torch::TensorOptions(gpu).dtype(torch::kByte));
  const ResidentImages images{pixels.data_ptr<std::uint8_t>(), 20, 24};
  const auto samples = torch::tensor({4, 0, 3}, torch::TensorOptions(gpu).dtype(torch::kLong));
  for (const int size : {9, 32}) {
    ViewSpec spec;
    spec.size = size;
    spec.blur_kernel = 5;
    const auto render = [&](const RenderPlan& plan) {
      auto out = torch::full({2 * count, size, size, 3}, -1.0F, torch::TensorOptions(gpu));
      const auto scratch = torch::empty({static_cast<std::int64_t>(plan.scratch_bytes) + 1},
                                        torch::TensorOptions(gpu).dtype(torch::kByte));
      ViewBatch batch;
      batch.spec = spec;
      batch.views = 2;
      batch.seed = 11;
      batch.samples = samples.data_ptr<std::int64_t>();
      batch.images = count;
      batch.out = out.data_ptr();
      render_batch(images, batch, plan, scratch.data_ptr<std::uint8_t>(), nullptr);
      torch::cuda::synchronize();
      return out.cpu();
    };
    const auto within = plan_render(spec, images);
    const auto outside = plan_render(spec, images, /*shared_bytes=*/0);
    EXPECT_EQ(within.scratch_bytes, 0U);
    EXPECT_GT(outside.scratch_bytes, 0U);
    const auto views = render(within);
    EXPECT_TRUE(torch::equal(views, render(outside)));
    EXPECT_GE(views.min().item<float>(), 0);  // each was written
  }
}

TEST(ResidentViewSource, WritesTheTypeThatIsAskedFor) {
  for (const int size : {32, 96}) {
    const SmoothImages dataset(60, size, size);
    const auto spec = multi_crop_for(size, 2, 1);
    const auto exact = make_resident_view_source(dataset, spec, options(gpu))->next();
    for (const auto type : {torch::kHalf, torch::kBFloat16}) {
      auto rounded = options(gpu);
      rounded.type = type;
      const auto views = make_resident_view_source(dataset, spec, rounded)->next();
      EXPECT_TRUE(torch::equal(views.global, exact.global.to(type)));
      EXPECT_TRUE(torch::equal(views.local, exact.local.to(type)));
    }
  }
}

TEST(ResidentViewSource, EndsAfterTheLastStep) {
  const SmoothImages dataset(60, 32, 32);
  const auto source = make_resident_view_source(dataset, multi_crop_for(32, 1, 1), options(gpu));
  for (std::int64_t step = 1; step < kSteps; ++step) source->next();
  EXPECT_EQ(testing::message_of<Error>([&] { source->next(); }), "no views after step 5: the view source ends there");
}

TEST(ResidentViewSource, IsNotForImagesOfDifferentSizes) {
  const testing::HashedImages dataset({{32, 32}, {30, 32}});
  EXPECT_EQ(why_not_resident(dataset, gpu), "the sizes of its images are not known before they are read");
}

}  // namespace
}  // namespace relic
