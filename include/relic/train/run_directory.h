// The folder of one training: which files it holds, and whether it may be used.
#pragma once

#include <cstdint>
#include <filesystem>

namespace relic {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path checkpoint() const { return folder_ / "checkpoint.pth"; }
  [[nodiscard]] std::filesystem::path model() const { return folder_ / "relic_model.pth"; }
  [[nodiscard]] std::filesystem::path encoder() const { return folder_ / "encoder.pth"; }
  [[nodiscard]] std::filesystem::path settings() const { return folder_ / "settings.toml"; }
  [[nodiscard]] std::filesystem::path metrics() const { return folder_ / "metrics.csv"; }
  [[nodiscard]] std::filesystem::path log() const { return folder_ / "train.log"; }

  [[nodiscard]] bool has_checkpoint() const;
  /// Any file of a run, the original's two included.
  [[nodiscard]] bool holds_run() const;
  /// The original's relic_model.pth or encoder.pth without a checkpoint.
  [[nodiscard]] bool holds_weights_only() const;

  /// Creates the folder. Throws Error with path and reason.
  void create() const;
  /// Throws UsageError, naming --resume and --overwrite, where the folder holds a run.
  void require_free() const;
  /// Removes the files of the run it holds, and nothing else.
  void remove_run() const;
  /// Cuts train.log to its length at a checkpoint.
  void cut_log_back(std::int64_t bytes) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace relic
