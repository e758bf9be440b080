// A small training for tests.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "relic/core/file.h"
#include "relic/train/trainer.h"
#include "support/hashed_images.h"
#include "support/same_state.h"

namespace relic::testing {

inline TrainConfig small_config(const std::filesystem::path& folder) {
  TrainConfig config;
  config.dataset_name = "shapes";
  config.save_model_dir = folder;
  config.num_epochs = 2;
  config.batch_size = 4;
  config.num_local_views = 1;
  config.proj_hidden_dim = 16;
  config.proj_out_dim = 8;
  config.gamma = 0.9;
  config.device = "cpu";
  return config;
}

struct TrainingRun {
  explicit TrainingRun(const TrainConfig& config, std::size_t images = 12)
      : TrainingRun(config, small_images(images)) {}
  TrainingRun(const TrainConfig& config, HashedImages images)
      : dataset(std::move(images)), directory(config.save_model_dir), log(LogLevel::error) {
    directory.create();
    trainer = std::make_unique<Trainer>(config, choose_runtime(config), dataset, directory, log);
  }
  HashedImages dataset;
  RunDirectory directory;
  Log log;
  std::unique_ptr<Trainer> trainer;
};

inline const auto never = [] { return false; };

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace relic::testing
