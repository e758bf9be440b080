#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "eval_config.h"
#include "relic/train/setting_builders.h"

namespace relic {
namespace {

using Row = SettingOf<EvalConfig>;
using setting::in_group;

/// A setting that a training has, too.
Row common(const char* name) {
  const Setting& row = *find_setting(name);
  Row made{row, [row](EvalConfig& config, const std::string& text) { row.set(config.common, text); },
           [row](const EvalConfig& config) { return row.get(config.common); },
           [row](const EvalConfig& config) { return row.problem(config.common); }};
  return made;
}

std::vector<Row> common(std::initializer_list<const char*> names) {
  std::vector<Row> rows;
  for (const char* name : names) rows.push_back(common(name));
  return rows;
}

Row encoder() {
  return setting::path(&EvalConfig::encoder, false,
                       {.name = "encoder",
                        .placeholder = "RUN|FILE",
                        .help = "a run's folder, or an encoder.pth, relic_model.pth or state dict of torchvision's "
                                "ResNet-18, ResNet-50 or EfficientNet-v2-S; it gets pixels from 0 to 1, not normalised",
                        .default_help = "none",
                        .allowed = "a run's folder or a .pth file"});
}

std::vector<Row> data() {
  auto rows = in_group<EvalConfig>("Encoder and images", false, {encoder()});
  for (Row& row : in_group("Encoder and images", false,
                           common({"dataset_name", "dataset_path", "image_size", "max_images", "no_download",
                                   "dataset_url", "dataset_md5", "max_bad_images", "seed"}))) {
    if (row.name == "dataset_name") {
      row.default_help = "the run's";
      row.help = "the images; folder: your own, those in --dataset_path; shapes: drawn here";
    } else if (row.name == "dataset_path") {
      row.default_help = "the run's for its data set, else ./data";
    } else if (row.name == "image_size") {
      row.default_help = "the run's, else the data set's";
    } else if (row.name == "max_bad_images") {
      row.help = "images that may turn out not to be readable; they are left out";
    } else if (row.name == "max_images") {
      row.help = "so many training images alone, evenly spread over class folders (0: all)";
      row.default_help = "all";
    } else if (row.name == "seed") {
      row.help = "number that held-out images, drawn ones and resampled test sets follow from";
      row.default_help = "the run's, else 42";
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> with_machine(std::vector<Row> rows) {
  for (Row& row : in_group("Machine and console", false, common({"device", "num_threads", "quiet", "verbose"}))) {
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> probe_table() {
  std::vector<Row> rows = data();
  for (Row& row : in_group<EvalConfig>(
           "Classifiers", false,
           {setting::positive(&EvalConfig::c, {.name = "C", .help = "inverse strength of the L2 penalty"}),
            setting::integer(&EvalConfig::max_iter, 1, setting::kManyTimes,
                             {.name = "max_iter", .help = "most iterations of L-BFGS"}),
            setting::flag(
                &EvalConfig::standardize,
                {.name = "standardize", .help = "bring features to mean 0 and variance 1 for the logistic regression"}),
            setting::integer(&EvalConfig::k, 1, setting::kManyTimes, {.name = "k", .help = "nearest neighbours"})})) {
    rows.push_back(std::move(row));
  }
  for (Row& row : in_group<EvalConfig>(
           "Files", false,
           {setting::path(&EvalConfig::report, true,
                          {.name = "report",
                          .placeholder = "FILE",
                          .help = "where all numbers are written, as JSON",
                          .default_help = "probe.json in the run's folder, else FILE.probe.json beside the file"}),
            setting::path(&EvalConfig::weights, true,
                          {.name = "weights",
                          .placeholder = "FILE",
                          .help = "where the linear classifier is written (weight [classes, D], bias, as a .pth file)",
                          .default_help = "nowhere"})})) {
    rows.push_back(std::move(row));
  }
  return with_machine(std::move(rows));
}

std::vector<Row> embed_table() {
  std::vector<Row> rows = data();
  for (Row& row : in_group<EvalConfig>(
           "Features", false,
           {setting::choice(&EvalConfig::split, false,
                            {.name = "split",
                            .placeholder = "SPLIT",
                            .help = "which images: those to pretrain on, or the labelled ones to train or test with",
                            .choices = {"pretraining", "train", "test"}}),
            setting::path(&EvalConfig::out, false,
                          {.name = "out",
                          .placeholder = "FILE",
                          .help = "the features, a .npy file [N, D] float32; beside it .labels.npy [N] int64 (-1: "
                                  "none) and .names.txt, a line an image, in place of .npy",
                          .default_help = "none",
                          .allowed = "a file to write"})})) {
    rows.push_back(std::move(row));
  }
  return with_machine(std::move(rows));
}

}  // namespace

std::span<const Row> probe_settings() {
  static const std::vector<Row> table = probe_table();
  return table;
}

std::span<const Row> embed_settings() {
  static const std::vector<Row> table = embed_table();
  return table;
}

}  // namespace relic
