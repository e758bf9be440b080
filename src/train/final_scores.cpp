#include "relic/train/final_scores.h"

#include "relic/core/text.h"
#include "relic/eval/features.h"
#include "relic/eval/norm_statistics.h"
#include "relic/train/trainer.h"

namespace relic {

namespace {

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string row(const std::string& name, const Accuracy& untrained, const Accuracy& trained) {
  const double gain = 100 * (trained.value() - untrained.value());
  return "  " + padded(name, 22) + padded(untrained.text(), 24) + padded(trained.text(), 24) + (gain < 0 ? "" : "+") +
         fixed(gain, 1) + " points";
}

}  // namespace

EncoderScores score_encoder(Encoder& encoder, const Dataset& train, const Dataset& test, const TrainConfig& config,
                            const Runtime& runtime, const std::function<bool()>& stop) {
  const auto& info = dataset_info(config.dataset_name);
  const auto train_features = extract_features(encoder, train, info.image_size, runtime.device, 0, stop);
  const auto test_features = extract_features(encoder, test, info.image_size, runtime.device, 0, stop);
  EncoderScores scores;
  scores.knn = knn_accuracy(train_features, test_features, info.class_count);
  scores.linear =
      linear_accuracy(fit_logistic_regression(train_features, info.class_count, {.stop = stop}), test_features);
  return scores;
}

EncoderScores score_untrained(const Dataset& train, const Dataset& test, const TrainConfig& config,
                              const Runtime& runtime, const std::function<bool()>& stop) {
  constexpr std::int64_t kImages = 2048;
  const auto untrained = initial_relic(config, runtime.device);
  Encoder& encoder = untrained->target().encoder();
  estimate_norm_statistics(encoder, train, dataset_info(config.dataset_name).image_size, runtime.device, kImages, stop);
  return score_encoder(encoder, train, test, config, runtime, stop);
}

std::vector<std::string> score_table(const EncoderScores& untrained, const EncoderScores& trained,
                                     const TrainConfig& config, std::int64_t test_images) {
  const auto& info = dataset_info(config.dataset_name);
  const std::string set = info.name + (info.synthetic ? " (synthetic, drawn images)" : "");
  return {"target encoder's frozen features on " + std::to_string(test_images) + " test images of " + set +
              ", accuracy and its 95 % interval (chance " + fixed(100.0 / static_cast<double>(info.class_count), 1) +
              " %)",
          "untrained: the weights before the first step, with BatchNorm's statistics of the training images",
          "  " + padded("", 22) + padded("untrained", 24) + padded("trained", 24) + "gain",
          row("nearest neighbours", untrained.knn, trained.knn),
          row("logistic regression", untrained.linear, trained.linear)};
}

}  // namespace relic
