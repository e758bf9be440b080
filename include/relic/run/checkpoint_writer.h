// Writes checkpoints while training goes on.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "relic/core/log.h"
#include "relic/run/checkpoint.h"

namespace relic {

/// One checkpoint at a time is written by a thread of its own; `save` waits for the one before. The newest `keep` stay.
/// A failed write is a warning, the checkpoint before stays; the third failure in a row throws Error, from whichever
/// member sees it.
class CheckpointWriter {
 public:
  CheckpointWriter(RunDirectory run, std::int64_t keep, Log& log) : run_(std::move(run)), keep_(keep), log_(log) {}
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  void save(const std::shared_ptr<const Checkpoint>& checkpoint);
  /// Tells of a write that has ended meanwhile; waits for none.
  void poll();
  /// Waits for the last write; throws Error if it failed.
  void finish();
  /// Writes the files that derive from a checkpoint that lies there already. Where that fails, a warning, and the next
  /// save tries again.
  void write_derived_files_of(const Checkpoint& checkpoint);
  /// In words: the files that derive from the last checkpoint and could not be written; empty: all are. Not while a
  /// save is on its way.
  [[nodiscard]] const std::string& not_derived() const { return not_derived_; }
  /// Waits for the last write; the step of the checkpoint that lies in the directory then, if one does.
  std::optional<std::int64_t> written_step();
  /// Tells of a checkpoint that lies there already.
  void set_written(std::int64_t step) { written_step_ = step; }

 private:
  void write(const Checkpoint& checkpoint);
  void derive(const Checkpoint& checkpoint);
  void wait();
  [[nodiscard]] std::string what_is_kept() const;

  RunDirectory run_;
  std::int64_t keep_;
  Log& log_;
  std::future<void> pending_;
  std::optional<std::int64_t> written_step_;  // that of checkpoint.pth; the thread's own while it writes
  std::optional<std::int64_t> best_step_;     // that of encoder_best.pth, likewise
  int failures_ = 0;
  std::string last_failure_;
  std::string not_derived_;  // the checkpoint is saved all the same
};

}  // namespace relic
