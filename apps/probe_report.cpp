#include "probe_report.h"

#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "relic/core/text.h"

namespace relic {

namespace {

constexpr std::size_t kShownClasses = 20;

std::string percent(double share) { return fixed(100 * share, 1) + " %"; }

std::string row(const std::string& name, const ClassifierScores& scores) {
  return "  " + padded(name, 22) + padded(scores.top1_text(), 26) + percent(scores.top5);
}

/// Of each class (row of the confusion matrix), the share that is called right; NaN of a class without test images.
torch::Tensor class_accuracy(const torch::Tensor& confusion) {
  return confusion.diagonal().to(torch::kDouble) / confusion.sum(1).to(torch::kDouble);
}

/// "cat  41.0 %, taken for dog 18.2 %"
std::string class_line(const torch::Tensor& confusion, std::size_t index, const std::vector<std::string>& names,
                       std::size_t width) {
  const auto i = static_cast<std::int64_t>(index);
  torch::Tensor shares = confusion[i].to(torch::kDouble);
  const double total = shares.sum().item<double>();
  if (total == 0) {
    return "  " + padded(names[index], width) + "  no test images";
  }
  shares = shares / total;
  std::string line = "  " + padded(names[index], width) + "  " + percent(shares[i].item<double>());
  shares[i] = -1;
  const auto other = shares.argmax().item<std::int64_t>();
  const double share = shares[other].item<double>();
  return share > 0 ? line + ", taken for " + names[static_cast<std::size_t>(other)] + " " + percent(share) : line;
}

nlohmann::ordered_json json_of(const ClassifierScores& scores) {
  const auto accuracy = class_accuracy(scores.confusion).contiguous();
  const auto counts = scores.confusion.contiguous();
  const std::int64_t classes = counts.size(0);
  nlohmann::ordered_json per_class = nlohmann::ordered_json::array();
  nlohmann::ordered_json confusion = nlohmann::ordered_json::array();
  for (std::int64_t i = 0; i < classes; ++i) {
    per_class.push_back(accuracy.data_ptr<double>()[i]);  // JSON writes NaN as null
    const auto* first = counts.data_ptr<std::int64_t>() + i * classes;
    confusion.push_back(std::vector<std::int64_t>(first, first + classes));
  }
  return {{"top1", scores.top1},
          {"top1_interval_95", {scores.low, scores.high}},
          {"top5", scores.top5},
          {"per_class", per_class},
          {"confusion", confusion}};
}

}  // namespace

std::vector<std::string> probe_lines(const ProbeResult& result, const ProbeSubject& subject) {
  const auto& classes = subject.classes;
  std::vector<std::string> lines{
      "accuracy on " + std::to_string(result.linear.total) + " test images of " + subject.dataset + ", after " +
          std::to_string(result.train_images) + " training images (chance " +
          percent(1 / static_cast<double>(classes.size())) + ")",
      "  " + padded("", 22) + padded("top-1 (95 % interval)", 26) + "top-5", row("logistic regression", result.linear),
      row("nearest neighbours", result.neighbours)};
  if (classes.size() > kShownClasses) {
    return lines;
  }
  std::size_t width = 0;
  for (const auto& name : classes) {
    width = std::max(width, name.size());
  }
  lines.emplace_back("each class, by logistic regression:");
  for (std::size_t i = 0; i < classes.size(); ++i) {
    lines.push_back(class_line(result.linear.confusion, i, classes, width));
  }
  return lines;
}

std::string probe_json(const ProbeResult& result, const ProbeSubject& subject) {
  const auto& options = subject.options;
  nlohmann::ordered_json linear = json_of(result.linear);
  linear["C"] = options.c;
  linear["standardize"] = options.standardize;
  linear["iterations"] = result.head.iterations;
  linear["converged"] = result.head.converged;
  linear["seconds"] = result.fit_seconds;
  nlohmann::ordered_json neighbours = json_of(result.neighbours);
  neighbours["k"] = options.k;
  neighbours["temperature"] = options.temperature;
  nlohmann::ordered_json report{{"encoder", subject.file}, {"network", subject.network}};
  if (subject.step > 0) {
    report["step"] = subject.step;
  }
  report["dataset"] = subject.dataset;
  report["image_size"] = subject.image_size;
  report["train_images"] = result.train_images;
  report["test_images"] = result.linear.total;
  report["classes"] = subject.classes;
  report["logistic_regression"] = linear;
  report["nearest_neighbours"] = neighbours;
  // A class's name may hold bytes that are no UTF-8: it comes from a folder's name.
  return report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace relic
