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
                            const Runtime& runtime, const Watch& watch) {
  const int side = image_size(config);
  const auto classes = static_cast<std::int64_t>(train.class_names().size());
  const auto part = [&watch](const std::string& name) {
    Watch of_part = watch;
    if (watch.progress) {
      of_part.progress = [&watch, name](const std::string& where) { watch.progress(name + ", " + where); };
    }
    return of_part;
  };
  const auto train_features = extract_features(encoder, train, side, runtime.device, 0, part("training images"));
  const auto test_features = extract_features(encoder, test, side, runtime.device, 0, part("test images"));
  EncoderScores scores;
  watch.at("nearest neighbours");
  scores.knn = knn_accuracy(train_features, test_features, classes);
  const auto model = fit_logistic_regression(train_features, classes, {.watch = part("logistic regression")});
  scores.linear = linear_accuracy(model, test_features);
  return scores;
}

EncoderScores score_untrained(const Dataset& train, const Dataset& test, const TrainConfig& config,
                              const Runtime& runtime, const Watch& watch) {
  constexpr std::int64_t kImages = 2048;
  const auto untrained = initial_relic(config, runtime.device);
  Encoder& encoder = untrained->target().encoder();
  estimate_norm_statistics(encoder, train, image_size(config), runtime.device, kImages, watch);
  return score_encoder(encoder, train, test, config, runtime, watch);
}

std::vector<std::string> score_table(const EncoderScores& untrained, const EncoderScores& trained,
                                     const TrainConfig& config, std::int64_t classes) {
  const auto& info = dataset_info(config.dataset_name);
  const std::string set = info.name + (info.synthetic ? " (synthetic, drawn images)" : "");
  return {"target encoder's frozen features on " + std::to_string(untrained.knn.total) + " test images of " + set +
              ", accuracy and its 95 % interval (chance " + fixed(100.0 / static_cast<double>(classes), 1) + " %)",
          "untrained: the weights before the first step, with BatchNorm's statistics of the training images",
          "  " + padded("", 22) + padded("untrained", 24) + padded("trained", 24) + "gain",
          row("nearest neighbours", untrained.knn, trained.knn),
          row("logistic regression", untrained.linear, trained.linear)};
}

}  // namespace relic
