#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <vector>

#include "relic/core/error.h"
#include "relic/eval/scores.h"
#include "support/fill.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using testing::uniform;

/// Clusters that overlap, so that a good part of the answers is wrong.
Features clusters(std::uint64_t stream, std::int64_t n, std::int64_t dim, std::int64_t classes) {
  const auto means = 2 * uniform(1, {classes, dim}) - 1;
  const auto labels = torch::arange(n).remainder(classes);
  return {.x = means.index_select(0, labels) + 3 * (2 * uniform(stream, {n, dim}) - 1), .labels = labels};
}

/// The vote one image at a time, in double, over a sorted list.
std::int64_t plain_correct(const Features& train, const Features& test, std::int64_t classes, std::int64_t k,
                           double temperature) {
  const auto row = [](const Features& features, std::int64_t i) {
    std::vector<double> values;
    double norm = 0;
    for (std::int64_t d = 0; d < features.x.size(1); ++d) {
      values.push_back(features.x[i][d].item<double>());
      norm += values.back() * values.back();
    }
    for (double& value : values) {
      value /= std::sqrt(norm);
    }
    return values;
  };
  std::vector<std::vector<double>> keys;
  for (std::int64_t j = 0; j < train.x.size(0); ++j) {
    keys.push_back(row(train, j));
  }
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < test.x.size(0); ++i) {
    const auto query = row(test, i);
    std::vector<std::pair<double, std::int64_t>> near;
    for (std::size_t j = 0; j < keys.size(); ++j) {
      near.emplace_back(-std::inner_product(query.begin(), query.end(), keys[j].begin(), 0.0),
                        train.labels[static_cast<std::int64_t>(j)].item<std::int64_t>());
    }
    std::sort(near.begin(), near.end());
    std::vector<double> votes(static_cast<std::size_t>(classes));
    for (std::size_t j = 0; j < std::min(near.size(), static_cast<std::size_t>(k)); ++j) {
      votes[static_cast<std::size_t>(near[j].second)] += std::exp(-near[j].first / temperature);
    }
    const auto best = std::max_element(votes.begin(), votes.end()) - votes.begin();
    correct += best == test.labels[i].item<std::int64_t>() ? 1 : 0;
  }
  return correct;
}

TEST(Knn, AgreesWithOneVoteAtATime) {
  const Features train = clusters(2, 300, 12, 5);
  const Features test = clusters(3, 150, 12, 5);
  for (const std::int64_t k : {1, 7, 50, 300}) {
    for (const double temperature : {0.07, 0.1, 1.0}) {
      const Accuracy accuracy = knn_accuracy(train, test, 5, k, temperature);
      EXPECT_EQ(accuracy.total, 150);
      EXPECT_EQ(accuracy.correct, plain_correct(train, test, 5, k, temperature)) << k << " " << temperature;
      EXPECT_LT(accuracy.correct, 150);
      EXPECT_GT(accuracy.correct, 30);
      std::cout << "k " << k << ", T " << temperature << ": " << accuracy.text() << "\n";
    }
  }
}

TEST(Knn, IsTheSameInManyBlocks) {
  // 70,000 training features make blocks of 239 test features.
  const Features train = clusters(2, 70'000, 4, 3);
  const Features test = clusters(3, 600, 4, 3);
  std::int64_t correct = 0;
  for (std::int64_t begin = 0; begin < 600; begin += 100) {
    const Features part{.x = test.x.slice(0, begin, begin + 100), .labels = test.labels.slice(0, begin, begin + 100)};
    correct += knn_accuracy(train, part, 3).correct;
  }
  const Accuracy accuracy = knn_accuracy(train, test, 3);
  EXPECT_EQ(accuracy.total, 600);
  EXPECT_EQ(accuracy.correct, correct);
}

TEST(Knn, KIsLimitedToTheTrainingFeatures) {
  const Features train = clusters(2, 20, 6, 4);
  const Features test = clusters(3, 40, 6, 4);
  EXPECT_EQ(knn_accuracy(train, test, 4, 200).correct, knn_accuracy(train, test, 4, 20).correct);
}

TEST(Knn, EqualVotesGoToTheLowestClass) {
  const Features train{.x = torch::tensor({{1.0F, 0.0F}, {1.0F, 0.0F}}), .labels = torch::tensor({2L, 1L})};
  const Features test{.x = torch::tensor({{1.0F, 0.0F}, {0.0F, 1.0F}}), .labels = torch::tensor({1L, 2L})};
  EXPECT_EQ(knn_accuracy(train, test, 3).correct, 1);
}

TEST(Knn, LengthsDoNotCountAndLowTemperaturesDoNotOverflow) {
  const Features train = clusters(2, 100, 8, 4);
  const Features test = clusters(3, 50, 8, 4);
  const Features longer{.x = train.x * (1 + 1000 * uniform(9, {100, 1})), .labels = train.labels};
  EXPECT_EQ(knn_accuracy(longer, test, 4, 10).correct, knn_accuracy(train, test, 4, 10).correct);
  EXPECT_EQ(knn_accuracy(train, test, 4, 10, 1e-4).correct, knn_accuracy(train, test, 4, 1).correct);
}

TEST(Knn, WhatItRefuses) {
  const Features good = clusters(2, 20, 6, 4);
  const auto message = [&](const Features& train, const Features& test, std::int64_t classes, std::int64_t k,
                           double temperature) -> std::string {
    try {
      knn_accuracy(train, test, classes, k, temperature);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(message(good, good, 4, 5, 0.1), "");
  EXPECT_THAT(message(good, good, 3, 5, 0.1), HasSubstr("the training features have label 3, but there are 3 classes"));
  EXPECT_THAT(message(good, good, 4, 0, 0.1), HasSubstr("k of at least 1"));
  EXPECT_THAT(message(good, good, 4, 5, 0), HasSubstr("a temperature above 0"));
  EXPECT_THAT(message(good, clusters(2, 20, 7, 4), 4, 5, 0.1), HasSubstr("6 dimensions, the test features 7"));
  EXPECT_THAT(message(good, {.x = good.x, .labels = torch::full({20}, -1)}, 4, 5, 0.1),
              HasSubstr("the test features have images without a label"));
  EXPECT_THAT(message({.x = torch::empty({0, 6}), .labels = torch::empty({0}, torch::kLong)}, good, 4, 5, 0.1),
              HasSubstr("the training features are empty: a score needs at least one labelled image"));
  EXPECT_THAT(message(good, {.x = good.x.clone().index_put_({3, 2}, std::nan("")), .labels = good.labels}, 4, 5, 0.1),
              HasSubstr("the test features hold NaN or infinity"));
  for (const Features& bad : {Features{.x = {}, .labels = good.labels}, Features{.x = good.x, .labels = {}},
                              Features{.x = good.x.flatten(), .labels = good.labels},
                              Features{.x = good.x, .labels = good.labels.unsqueeze(1)},
                              Features{.x = good.x, .labels = good.labels.slice(0, 1)}}) {
    EXPECT_THAT(message(good, bad, 4, 5, 0.1), HasSubstr("the test features need a matrix [N, D] and N labels"));
  }
}

}  // namespace
}  // namespace relic
