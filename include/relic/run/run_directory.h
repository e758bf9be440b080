// The folder of one training: which files it holds, and whether it may be used.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace relic {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path checkpoint() const { return folder_ / "checkpoint.pth"; }
  /// An older one, see kept_checkpoints.h.
  [[nodiscard]] std::filesystem::path checkpoint_of(std::int64_t step) const {
    return folder_ / ("earlier-checkpoint-" + std::to_string(step) + ".pth");
  }
  [[nodiscard]] std::filesystem::path model() const { return folder_ / "relic_model.pth"; }
  [[nodiscard]] std::filesystem::path encoder() const { return folder_ / "encoder.pth"; }
  [[nodiscard]] std::filesystem::path best_encoder() const { return folder_ / "encoder_best.pth"; }
  [[nodiscard]] std::filesystem::path scores() const { return folder_ / "scores.json"; }
  [[nodiscard]] std::filesystem::path settings() const { return folder_ / "settings.toml"; }
  [[nodiscard]] std::filesystem::path metrics() const { return folder_ / "metrics.csv"; }
  [[nodiscard]] std::filesystem::path bad_images() const { return folder_ / "bad_images.txt"; }
  /// What a checkpoint that cannot be read is renamed to: NAME.damaged, or the first of NAME.damaged-2, … that is free.
  [[nodiscard]] static std::filesystem::path damaged(const std::filesystem::path& file);
  /// Where a file is kept that a run which goes on from an earlier step writes over: NAME.later, or likewise.
  [[nodiscard]] static std::filesystem::path later(const std::filesystem::path& file);
  /// The files of both kinds that are there.
  [[nodiscard]] std::vector<std::filesystem::path> set_aside() const;
  /// Those that a run which goes on from an earlier step writes over.
  [[nodiscard]] std::vector<std::filesystem::path> written_over() const {
    return {metrics(), model(), encoder(), best_encoder(), scores()};
  }
  /// The reports that `relic_train probe` writes here of the run, encoder.pth and encoder_best.pth.
  [[nodiscard]] std::vector<std::filesystem::path> probe_reports() const {
    return {folder_ / "probe.json", folder_ / "encoder.probe.json", folder_ / "encoder_best.probe.json"};
  }
  /// The batch at which numbers were not finite any more.
  [[nodiscard]] std::filesystem::path not_finite() const { return folder_ / "not_finite.txt"; }
  [[nodiscard]] std::filesystem::path log() const { return folder_ / "train.log"; }
  /// Held by the process that trains here, by FolderLock.
  static constexpr const char* kLockName = ".relic-lock";

  /// checkpoint.pth, or an older one to go on from where that is missing.
  [[nodiscard]] bool has_checkpoint() const;
  /// Steps of the older checkpoints that are there, newest first.
  [[nodiscard]] std::vector<std::int64_t> kept_steps() const;
  /// Both, newest first.
  [[nodiscard]] std::vector<std::filesystem::path> checkpoints() const;
  [[nodiscard]] bool exists() const;
  /// The folder, or the nearest one above it that is there.
  [[nodiscard]] std::filesystem::path place() const;

  /// Throws UsageError where something else than a folder is there.
  void require_folder() const;
  /// Creates the folder where there is none. Throws UsageError with path and reason.
  void create() const;
  /// Throws UsageError where it is plain that create() would.
  void require_place() const;
  /// Names of its files of a run that are not empty, with commas between them; empty: there are none.
  [[nodiscard]] std::string names_of_files() const;
  /// Throws UsageError, naming what there is and what can be done, where the folder holds a file of a run that is not
  /// empty, the original's two included.
  void require_free() const;
  /// The same where such files are there without a checkpoint to go on from.
  void require_checkpoint_or_nothing() const;
  /// Removes what saves that were cut off by the end of their process left behind. For who holds the folder's lock.
  void remove_leftovers() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace relic
