// Views that the CPU renders and a GPU is sent, against those that stay.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "relic/views/view_source.h"
#include "support/hashed_images.h"
#include "train/own_stream.h"
#include "views/view_upload.h"

namespace relic {
namespace {

const torch::Device gpu(torch::kCUDA, 0);

constexpr std::int64_t kSteps = 12;

ViewSourceOptions options(const torch::Device& device) {
  ViewSourceOptions result;
  result.batch_size = 10;
  result.seed = 3;
  result.last_step = kSteps;
  result.workers = 4;
  result.device = device;
  return result;
}

/// Images of several sizes, which no GPU holds.
testing::HashedImages images() {
  std::vector<std::pair<int, int>> sizes;
  for (int i = 0; i < 25; ++i) sizes.emplace_back(20 + 3 * i, 60 - i);
  return testing::HashedImages(sizes);
}

TEST(StreamedViews, AreTheCpusToTheBitInEachType) {
  const auto dataset = images();
  ASSERT_FALSE(why_not_resident(dataset, gpu).empty());
  const auto spec = multi_crop_for(32, 2, 3);
  for (const auto type : {torch::kFloat, torch::kHalf, torch::kBFloat16}) {
    auto there = options(gpu);
    there.type = type;
    const auto streamed = make_cpu_view_source(dataset, spec, there);
    const auto stayed = make_cpu_view_source(dataset, spec, options(torch::kCPU));
    for (std::int64_t step = 0; step < kSteps; ++step) {
      const auto got = streamed->next();
      const auto expected = stayed->next();
      ASSERT_EQ(got.samples, expected.samples);
      ASSERT_EQ(got.global.device(), gpu);
      EXPECT_TRUE(got.global.is_contiguous(torch::MemoryFormat::ChannelsLast));
      EXPECT_TRUE(torch::equal(got.global.cpu(), expected.global.to(type))) << type << ", step " << step;
      EXPECT_TRUE(torch::equal(got.local.cpu(), expected.local.to(type))) << type << ", step " << step;
    }
  }
}

/// The host is far ahead of the GPU: views that it has let go of are still to be read.
TEST(StreamedViews, StayWhileAStepIsStillToReadThem) {
  const auto dataset = images();
  const auto spec = multi_crop_for(32, 2, 3);
  const OwnStream stream(gpu);
  const auto slow = torch::rand({4096, 4096}, gpu);
  std::vector<torch::Tensor> sums;
  const auto streamed = make_cpu_view_source(dataset, spec, options(gpu));
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const auto views = streamed->next();
    for (int i = 0; i < 10; ++i) torch::mm(slow, slow);
    sums.push_back(views.global.to(torch::kDouble).sum() + views.local.to(torch::kDouble).sum());
  }
  const auto stayed = make_cpu_view_source(dataset, spec, options(torch::kCPU));
  for (const auto& sum : sums) {
    const auto views = stayed->next();
    const auto expected = views.global.to(torch::kDouble).sum() + views.local.to(torch::kDouble).sum();
    EXPECT_NEAR(sum.item<double>(), expected.item<double>(), 1e-6);
  }
}

TEST(StreamedViews, CanBeGivenUpAtAnyMoment) {
  const auto dataset = images();
  for (int taken = 0; taken < 6; ++taken) {
    const auto source = make_cpu_view_source(dataset, multi_crop_for(32, 2, 0), options(gpu));
    for (int i = 0; i < taken; ++i) EXPECT_FALSE(source->next().local.defined());
  }
}

TEST(StreamedViews, AreOfEveryByte) {
  Views pixels{ViewUpload::pixels(1, 16), {}, {7}};
  pixels.global.copy_(torch::arange(256).repeat({3}).view({1, 3, 16, 16}));
  ViewUpload upload(gpu, torch::kFloat);
  const auto views = upload.arrive(upload.begin(pixels));
  EXPECT_EQ(views.samples, pixels.samples);
  EXPECT_TRUE(torch::equal(views.global.cpu(), pixels.global.to(torch::kFloat) / torch::full({}, 255.0F)));
}

}  // namespace
}  // namespace relic
