#include "relic/eval/features.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "relic/core/error.h"
#include "support/encoder_record.h"
#include "support/fill.h"
#include "support/hashed_images.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::EncoderRecord;
using testing::fill;
using testing::HashedImages;
using ::testing::HasSubstr;
using testing::message_of;
using testing::small_images;

/// [1, 3, S, S] float32 of one image, by plain indexing.
torch::Tensor plain_image(const Dataset& dataset, std::int64_t index) {
  Image scratch;
  const ImageRef image = dataset.image(index, scratch);
  auto values = torch::empty({1, 3, image.height, image.width});
  auto out = values.accessor<float, 4>();
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        out[0][c][y][x] = static_cast<float>(image.pixels[(y * image.width + x) * 3 + c]) / 255.0F;
      }
    }
  }
  return values;
}

std::shared_ptr<Encoder> filled_encoder() {
  auto encoder = make_encoder("resnet18", Stem::cifar);
  fill(*encoder);
  return encoder;
}

/// Mean of each channel of the image: features that can be checked by eye. Throws on request.
class MeanEncoder : public Encoder {
 public:
  MeanEncoder() : inner_(register_module("inner", torch::nn::BatchNorm2d(3))) {}
  torch::Tensor forward(const torch::Tensor& images) override {
    if (fail) {
      throw std::runtime_error("forward failed");
    }
    seen = images;
    was_training = was_training || is_training() || inner_->is_training();
    had_gradients = had_gradients || torch::GradMode::is_enabled();
    return images.mean({2, 3});
  }
  [[nodiscard]] std::int64_t feature_dim() const override { return 3; }

  bool fail = false;
  bool was_training = false;
  bool had_gradients = false;
  torch::Tensor seen;

 private:
  torch::nn::BatchNorm2d inner_;
};

TEST(Features, AreWhatTheEncoderGivesInEvalMode) {
  const auto encoder = filled_encoder();
  const auto dataset = small_images(300);  // one full batch and a part
  encoder->train();
  const Features features = extract_features(*encoder, dataset, 32, torch::kCPU);
  ASSERT_EQ(features.x.sizes(), (std::vector<std::int64_t>{300, 512}));
  EXPECT_EQ(features.x.scalar_type(), torch::kFloat);
  EXPECT_FALSE(features.x.requires_grad());
  const torch::NoGradGuard no_grad;
  encoder->eval();
  double largest = 0;
  for (const std::int64_t index : {0, 1, 255, 256, 299}) {
    const auto expected = encoder->forward(plain_image(dataset, index))[0];
    const double difference = ((features.x[index] - expected).abs().max() / expected.abs().max()).item<double>();
    largest = std::max(largest, difference);
    EXPECT_EQ(features.labels[index].item<std::int64_t>(), index % 3);
  }
  std::cout << "largest difference from one image at a time: " << largest << " of the largest feature\n";
  EXPECT_LT(largest, 1e-5);
}

TEST(Features, LeaveTheEncoderAsItWas) {
  const auto encoder = filled_encoder();
  encoder->train();
  encoder->children()[1]->eval();  // one part frozen inside an encoder that trains
  encoder->parameters()[0].set_requires_grad(false);
  const EncoderRecord before(*encoder);
  extract_features(*encoder, small_images(20), 32, torch::kCPU);
  before.expect_same_modes(*encoder);
  before.expect_tensors(*encoder, [](const std::string&) { return false; });
  EXPECT_FALSE(encoder->parameters()[0].requires_grad());
  EXPECT_TRUE(encoder->parameters()[1].requires_grad());
  EXPECT_TRUE(torch::GradMode::is_enabled());
}

TEST(Features, ModesComeBackWhenTheEncoderThrowsOrIsStopped) {
  const auto encoder = std::make_shared<MeanEncoder>();
  encoder->train();
  encoder->fail = true;
  EXPECT_THROW(extract_features(*encoder, small_images(3), 32, torch::kCPU), std::runtime_error);
  EXPECT_TRUE(encoder->is_training());
  EXPECT_TRUE(encoder->children()[0]->is_training());
  EXPECT_TRUE(torch::GradMode::is_enabled());

  encoder->fail = false;
  int asked = 0;
  try {
    extract_features(*encoder, small_images(600), 32, torch::kCPU, 0, {.stop = [&] { return ++asked == 2; }});
    ADD_FAILURE() << "no Error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "interrupted");
  }
  EXPECT_EQ(encoder->seen.size(0), 256);
  EXPECT_TRUE(encoder->is_training());
}

TEST(Features, LeaveOutImagesThatCannotBeRead) {
  MeanEncoder encoder;
  HashedImages images = small_images(600);
  const auto all = extract_features(encoder, images, 32, torch::kCPU);
  for (std::int64_t i = 255; i < 513; ++i) images.broken.insert(i);  // a whole batch among them
  std::vector<std::string> told;
  const auto some = extract_features(encoder, images, 32, torch::kCPU, 0,
                                     {.left_out = [&told](const BadImage& image) { told.emplace_back(image.what()); }});
  EXPECT_EQ(told.size(), 258U);
  EXPECT_EQ(told.front(), "255 is broken");
  ASSERT_EQ(some.x.size(0), 342);
  EXPECT_TRUE(torch::equal(some.x, torch::cat({all.x.slice(0, 0, 255), all.x.slice(0, 513)})));
  EXPECT_TRUE(torch::equal(some.labels, torch::cat({all.labels.slice(0, 0, 255), all.labels.slice(0, 513)})));
  EXPECT_THROW(extract_features(encoder, images, 32, torch::kCPU), BadImage);
}

TEST(Features, TellHowFarTheyAre) {
  MeanEncoder encoder;
  std::vector<std::string> told;
  extract_features(encoder, small_images(600), 32, torch::kCPU, 0,
                   {.progress = [&told](const std::string& where) { told.push_back(where); }});
  EXPECT_THAT(told, ::testing::ElementsAre("0 of 600", "256 of 600", "512 of 600"));
}

TEST(Features, RunWithoutGradientsOrAutocastInChannelsLast) {
  const auto encoder = std::make_shared<MeanEncoder>();
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const Features features = extract_features(*encoder, small_images(5), 32, torch::kCPU);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_FALSE(encoder->was_training);
  EXPECT_FALSE(encoder->had_gradients);
  EXPECT_TRUE(encoder->seen.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_EQ(encoder->seen.scalar_type(), torch::kFloat);
  EXPECT_LT((features.x[4] - plain_image(small_images(5), 4).mean({2, 3})[0]).abs().max().item<double>(), 1e-6);
}

TEST(Features, DoNotDependOnTheOtherImages) {
  const auto encoder = filled_encoder();
  const auto dataset = small_images(40);
  const Features all = extract_features(*encoder, dataset, 32, torch::kCPU);
  const Features first = extract_features(*encoder, dataset, 32, torch::kCPU, 7);
  ASSERT_EQ(first.x.size(0), 7);
  const double difference = ((all.x.slice(0, 0, 7) - first.x).abs().max() / all.x.abs().max()).item<double>();
  std::cout << "largest difference between batches of 40 and 7: " << difference << "\n";
  EXPECT_LT(difference, 1e-5);
  EXPECT_EQ(extract_features(*encoder, dataset, 32, torch::kCPU, 1000).x.size(0), 40);
}

TEST(Features, OfAStripOnlyTheMiddleIsScaled) {
  // 16 by 100,000 pixels at 192 would be 700 MB on the way.
  testing::HashedImages strip({{16, 100000}, {100000, 16}});
  const auto encoder = make_encoder("resnet18", Stem::imagenet);
  const auto features = extract_features(*encoder, strip, 192, torch::kCPU);
  EXPECT_EQ(features.x.size(0), 2);
  EXPECT_TRUE(features.x.isfinite().all().item<bool>());
}

TEST(Features, OtherSizesAreResizedAndCropped) {
  const HashedImages dataset({{32, 32}, {96, 64}, {50, 77}, {16, 20}, {32, 48}, {500, 32}});
  const auto encoder = std::make_shared<MeanEncoder>();
  extract_features(*encoder, dataset, 32, torch::kCPU);
  double largest = 0;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const auto image = plain_image(dataset, i);
    const std::int64_t height = image.size(2);
    const std::int64_t width = image.size(3);
    const double scale = 32.0 / static_cast<double>(std::min(height, width));
    const std::vector<std::int64_t> size{static_cast<std::int64_t>(static_cast<double>(height) * scale + 1e-9),
                                         static_cast<std::int64_t>(static_cast<double>(width) * scale + 1e-9)};
    const auto whole = at::_upsample_bilinear2d_aa(image, size, false);
    const auto expected = whole.narrow(2, std::lrint(static_cast<double>(size[0] - 32) / 2), 32)
                              .narrow(3, std::lrint(static_cast<double>(size[1] - 32) / 2), 32);
    largest = std::max(largest, (expected[0] - encoder->seen[i]).abs().max().item<double>());
  }
  std::cout << "largest difference from resizing in float: " << 255 * largest << " of 255\n";
  EXPECT_LT(255 * largest, 1.01);  // 8 bits after each direction, as PIL and torchvision
}

TEST(Features, EmptyDataSetsAndBadSizes) {
  const auto encoder = std::make_shared<MeanEncoder>();
  const Features none = extract_features(*encoder, small_images(0), 32, torch::kCPU);
  EXPECT_EQ(none.x.sizes(), (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(message_of<UsageError>([&] { extract_features(*encoder, small_images(1), 0, torch::kCPU); }),
            "features need an image size of at least 1, not 0");
  const HashedImages flat(std::vector<std::pair<int, int>>{{0, 5}});
  EXPECT_EQ(message_of<Error>([&] { extract_features(*encoder, flat, 32, torch::kCPU); }), "an image of 0 by 5 pixels");
}

}  // namespace
}  // namespace relic
