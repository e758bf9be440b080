#include "relic/eval/norm_statistics.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <memory>
#include <vector>

#include "relic/core/error.h"
#include "support/encoder_record.h"
#include "support/hashed_images.h"

namespace relic {
namespace {

using testing::EncoderRecord;
using testing::HashedImages;
using testing::small_images;

/// BatchNorm over the pixels themselves, then a part that only eval mode leaves alone.
class NormEncoder : public Encoder {
 public:
  NormEncoder()
      : norm(register_module("norm", torch::nn::BatchNorm2d(3))),
        dropout(register_module("dropout", torch::nn::Dropout(0.9))) {}
  torch::Tensor forward(const torch::Tensor& images) override {
    batches.push_back(images);
    dropout_trained = dropout_trained || dropout->is_training();
    return dropout(norm(images)).mean({2, 3});
  }
  [[nodiscard]] std::int64_t feature_dim() const override { return 3; }

  torch::nn::BatchNorm2d norm;
  torch::nn::Dropout dropout;
  std::vector<torch::Tensor> batches;
  bool dropout_trained = false;
};

TEST(NormStatistics, AreTheAverageOverTheBatches) {
  const auto encoder = std::make_shared<NormEncoder>();
  encoder->norm->running_mean.fill_(7);
  estimate_norm_statistics(*encoder, small_images(300), 32, torch::kCPU, 300);
  ASSERT_EQ(encoder->batches.size(), 2U);
  ASSERT_EQ(encoder->batches[1].size(0), 44);
  torch::Tensor mean = torch::zeros({3});
  torch::Tensor variance = torch::zeros({3});
  for (const auto& batch : encoder->batches) {
    mean += batch.mean({0, 2, 3}) / 2;
    variance += batch.permute({1, 0, 2, 3}).flatten(1).var(1, /*unbiased=*/true) / 2;
  }
  EXPECT_LT((encoder->norm->running_mean - mean).abs().max().item<double>(), 1e-5);
  EXPECT_LT((encoder->norm->running_var - variance).abs().max().item<double>(), 1e-5);
  EXPECT_FALSE(encoder->dropout_trained);
}

TEST(NormStatistics, ComeFromTheWholeDataSet) {
  const auto encoder = std::make_shared<NormEncoder>();
  const HashedImages dataset = small_images(10);
  estimate_norm_statistics(*encoder, dataset, 32, torch::kCPU, 4);
  ASSERT_EQ(encoder->batches.size(), 1U);
  ASSERT_EQ(encoder->batches[0].size(0), 4);
  Image scratch;
  for (const auto& [row, index] : {std::pair{0, 0}, {1, 2}, {2, 5}, {3, 7}}) {
    const ImageRef image = dataset.image(index, scratch);
    EXPECT_FLOAT_EQ(encoder->batches[0][row][1][0][0].item<float>(), static_cast<float>(image.pixels[1]) / 255.0F);
  }
}

TEST(NormStatistics, LeaveTheRestOfTheEncoderAsItWas) {
  const auto encoder = make_encoder("resnet18", Stem::cifar);
  encoder->train();
  encoder->children()[1]->eval();
  const EncoderRecord before(*encoder);
  estimate_norm_statistics(*encoder, small_images(20), 32, torch::kCPU, 20);
  before.expect_same_modes(*encoder);
  before.expect_tensors(*encoder, [](const std::string& name) {
    return name.find("running_") != std::string::npos || name.find("num_batches") != std::string::npos;
  });
  for (const auto& part : encoder->modules()) {
    if (const auto* norm = dynamic_cast<torch::nn::BatchNorm2dImpl*>(part.get())) {
      EXPECT_EQ(norm->options.momentum(), std::optional<double>(0.1));
    }
  }
  EXPECT_TRUE(torch::GradMode::is_enabled());
}

TEST(NormStatistics, StopOnRequest) {
  const auto encoder = std::make_shared<NormEncoder>();
  encoder->eval();
  int asked = 0;
  EXPECT_THROW(estimate_norm_statistics(*encoder, small_images(600), 32, torch::kCPU, 600,
                                        {.stop = [&] { return ++asked == 2; }}),
               Interrupted);
  EXPECT_EQ(encoder->batches.size(), 1U);
  EXPECT_FALSE(encoder->norm->is_training());
  EXPECT_EQ(encoder->norm->options.momentum(), std::optional<double>(0.1));
}

}  // namespace
}  // namespace relic
