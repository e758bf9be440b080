#include "relic/eval/probe.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "relic/core/random.h"

namespace relic {
namespace {

constexpr std::uint32_t kBootstrapStream = 0xFFFFFFFDU;  // apart from other uses of the same seed

/// Ends of the middle 95 % of the accuracies of resampled test sets.
std::pair<double, double> bootstrap(const torch::Tensor& correct, std::uint64_t seed) {
  constexpr int kSamples = 2000;
  const auto size = static_cast<std::uint32_t>(correct.numel());
  const torch::Tensor flags = correct.to(torch::kByte).contiguous();
  const auto* flag = flags.data_ptr<std::uint8_t>();
  std::vector<double> accuracies;
  for (std::uint32_t sample = 0; sample < kSamples; ++sample) {
    CounterRng rng(seed, 0, sample, kBootstrapStream);
    std::int64_t hits = 0;
    for (std::uint32_t i = 0; i < size; ++i) hits += flag[rng.below(size)];
    accuracies.push_back(static_cast<double>(hits) / size);
  }
  std::ranges::sort(accuracies);
  return {accuracies[kSamples / 40], accuracies[kSamples - 1 - kSamples / 40]};
}

struct Standardizer {
  torch::Tensor mean;       // [D] float64
  torch::Tensor deviation;  // [D] float64; 1 where a feature never changes

  explicit Standardizer(const torch::Tensor& x) : mean(x.to(torch::kDouble).mean(0)) {
    deviation = x.to(torch::kDouble).std(0, /*unbiased=*/false);
    deviation.masked_fill_(deviation == 0, 1.0);
  }
  [[nodiscard]] Features apply(const Features& features) const {
    return {.x = ((features.x.to(torch::kDouble) - mean) / deviation).to(torch::kFloat), .labels = features.labels};
  }
  /// The classifier of standardized features as one of plain features.
  void fold_into(LogisticRegression& head) const {
    head.weight = head.weight / deviation;
    head.intercept = head.intercept - head.weight.mv(mean);
  }
};

}  // namespace

std::string ClassifierScores::top1_text() const { return interval_text(top1, low, high); }

ClassifierScores classifier_scores(const torch::Tensor& scores, const torch::Tensor& labels, std::uint64_t seed) {
  const std::int64_t classes = scores.size(1);
  const torch::Tensor predicted = scores.argmax(1);
  const torch::Tensor correct = predicted == labels;
  ClassifierScores result;
  result.total = labels.numel();
  result.top1 = correct.to(torch::kDouble).mean().item<double>();
  // How many classes come before the right one: those with a higher score, and lower ones with the same.
  const torch::Tensor own = scores.gather(1, labels.unsqueeze(1));
  const torch::Tensor lower = torch::arange(classes).unsqueeze(0) < labels.unsqueeze(1);
  const torch::Tensor rank = ((scores > own) | ((scores == own) & lower)).sum(1);
  result.top5 = (rank < 5).to(torch::kDouble).mean().item<double>();
  std::tie(result.low, result.high) = bootstrap(correct, seed);
  result.confusion = torch::zeros({classes * classes}, torch::kLong);
  result.confusion.scatter_add_(0, labels * classes + predicted, torch::ones_like(labels));
  result.confusion = result.confusion.view({classes, classes});
  return result;
}

ProbeResult probe_features(const Features& train, const Features& test, std::int64_t classes,
                           const ProbeOptions& options) {
  const at::NoGradGuard no_grad;
  ProbeResult result;
  result.train_images = train.x.size(0);
  options.watch.at("nearest neighbours");
  result.neighbours =
      classifier_scores(knn_votes(train, test, classes, options.k, options.temperature), test.labels, options.seed);
  const LogisticRegressionOptions fit{.c = options.c,
                                      .max_iterations = options.max_iterations,
                                      .device = options.device,
                                      .watch = options.watch.part("logistic regression")};
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  if (options.standardize) {
    const Standardizer standardizer(train.x);
    result.head = fit_logistic_regression(standardizer.apply(train), classes, fit);
    standardizer.fold_into(result.head);
  } else {
    result.head = fit_logistic_regression(train, classes, fit);
  }
  result.fit_seconds = std::chrono::duration<double>(Clock::now() - began).count();
  result.linear = classifier_scores(linear_scores(result.head, test), test.labels, options.seed);
  return result;
}

ProbeResult probe_encoder(Encoder& encoder, const Dataset& train, const Dataset& test, int image_size,
                          const ProbeOptions& options) {
  const auto features = [&](const Dataset& images, const char* which) {
    return extract_features(encoder, images, image_size, options.device, 0, options.watch.part(which));
  };
  const Features train_features = features(train, "training images");
  return probe_features(train_features, features(test, "test images"),
                        static_cast<std::int64_t>(train.class_names().size()), options);
}

}  // namespace relic
