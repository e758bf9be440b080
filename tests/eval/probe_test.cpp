#include "relic/eval/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "relic/core/error.h"
#include "support/fill.h"

namespace relic {
namespace {

using testing::uniform;

TEST(ClassifierScores, CountWhatIsRightAndWhatIsTakenForWhat) {
  const auto scores = torch::tensor(
      {{9, 8, 7, 6, 5, 4, 3}, {1, 2, 3, 4, 5, 6, 7}, {5, 5, 5, 5, 5, 5, 5}, {0, 0, 9, 0, 0, 0, 0}}, torch::kDouble);
  // Right; sixth of seven; a tie of all, of which the lowest class is taken and this one stands sixth; wrong, third.
  const auto labels = torch::tensor({0, 1, 5, 1}, torch::kLong);
  const auto result = classifier_scores(scores, labels, 42);
  EXPECT_EQ(result.total, 4);
  EXPECT_EQ(result.top1, 0.25);
  EXPECT_EQ(result.top5, 0.5);
  auto expected = torch::zeros({7, 7}, torch::kLong);
  expected[0][0] = expected[1][6] = expected[5][0] = expected[1][2] = 1;
  EXPECT_TRUE(torch::equal(result.confusion, expected));
}

TEST(ClassifierScores, IntervalIsThatOfResampledTestSets) {
  const auto labels = torch::zeros({1000}, torch::kLong);
  auto scores = torch::zeros({1000, 2}, torch::kDouble);
  scores.slice(0, 0, 200).select(1, 1) = 1;  // 200 wrong
  const auto result = classifier_scores(scores, labels, 42);
  EXPECT_EQ(result.top1, 0.8);
  const double half = 1.96 * std::sqrt(0.8 * 0.2 / 1000);
  EXPECT_NEAR(result.low, 0.8 - half, 0.004);
  EXPECT_NEAR(result.high, 0.8 + half, 0.004);
  EXPECT_EQ(classifier_scores(scores, labels, 42).low, result.low);
  const auto sure = classifier_scores(torch::zeros({10, 2}, torch::kDouble), torch::zeros({10}, torch::kLong), 42);
  EXPECT_EQ(sure.low, 1);
  EXPECT_EQ(sure.high, 1);
}

/// Three classes in eight dimensions, not quite apart.
Features blobs(std::uint64_t stream, std::int64_t count) {
  Features features{.x = 2 * uniform(stream, {count, 8}) - 1, .labels = torch::arange(count, torch::kLong) % 3};
  features.x.scatter_add_(1, features.labels.unsqueeze(1), torch::full({count, 1}, 0.8F));
  return features;
}

TEST(Probe, AgreesWithTheClassifiersOnTheirOwn) {
  const Features train = blobs(1, 300);
  const Features test = blobs(2, 90);
  const auto result = probe_features(train, test, 3, {.k = 20});
  EXPECT_EQ(result.neighbours.top1, knn_accuracy(train, test, 3, 20).value());
  EXPECT_EQ(result.linear.top1, linear_accuracy(fit_logistic_regression(train, 3), test).value());
  EXPECT_GT(result.linear.top1, 0.6);
  EXPECT_EQ(result.linear.confusion.sum().item<std::int64_t>(), 90);
  EXPECT_EQ(result.linear.confusion.diagonal().sum().item<double>() / 90, result.linear.top1);
  EXPECT_TRUE(torch::equal(result.linear.confusion.sum(1), torch::tensor({30, 30, 30}, torch::kLong)));
  EXPECT_EQ(result.linear.top5, 1);
}

TEST(Probe, StandardizedFeaturesMakeScalesIrrelevantAndTheHeadTakesPlainOnes) {
  const Features train = blobs(1, 300);
  const Features test = blobs(2, 90);
  const auto scale = torch::tensor({1e-3, 1e3, 1.0, 50.0, 7.0, 1.0, 0.1, 2.0}).to(torch::kFloat);
  const auto scaled = [&](const Features& f) { return Features{.x = f.x * scale + 3, .labels = f.labels}; };
  const auto plain = probe_features(train, test, 3, {.standardize = true});
  const auto stretched = probe_features(scaled(train), scaled(test), 3, {.standardize = true});
  EXPECT_TRUE(torch::equal(plain.linear.confusion, stretched.linear.confusion));
  EXPECT_TRUE(torch::allclose(plain.head.weight, stretched.head.weight * scale, 1e-3, 1e-4));
  // By hand: the classifier of features that were standardized before.
  const auto mean = train.x.mean(0);
  const auto deviation = train.x.std(0, false);
  const auto standard = [&](const Features& f) { return Features{.x = (f.x - mean) / deviation, .labels = f.labels}; };
  const auto by_hand = fit_logistic_regression(standard(train), 3);
  EXPECT_TRUE(torch::allclose(linear_scores(plain.head, test), linear_scores(by_hand, standard(test)), 1e-3, 1e-3));
}

TEST(Probe, AFeatureThatNeverChangesIsNoProblem) {
  Features train = blobs(1, 300);
  train.x.select(1, 7).fill_(4);
  const auto result = probe_features(train, train, 3, {.standardize = true});
  EXPECT_TRUE(result.head.weight.isfinite().all().item<bool>());
}

TEST(Probe, AsksBetweenItsParts) {
  EXPECT_THROW(probe_features(blobs(1, 300), blobs(2, 90), 3, {.watch = {.stop = [] { return true; }}}), Interrupted);
}

}  // namespace
}  // namespace relic
