#include "relic/run/checkpoint_writer.h"

#include <chrono>
#include <system_error>

#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/run/kept_checkpoints.h"

namespace relic {

namespace {
constexpr int kFailuresToStop = 3;
}

CheckpointWriter::~CheckpointWriter() {
  if (pending_.valid()) {
    pending_.wait();
  }
}

void CheckpointWriter::save(const std::shared_ptr<const Checkpoint>& checkpoint) {
  wait();
  try {
    pending_ = std::async(std::launch::async, [this, checkpoint] { write(*checkpoint); });
  } catch (const std::system_error&) {  // no thread is to be had: the training waits
    std::packaged_task<void()> task([this, checkpoint] { write(*checkpoint); });
    pending_ = task.get_future();
    task();
  }
}

void CheckpointWriter::write(const Checkpoint& checkpoint) {
  const auto step = checkpoint.progress.step;
  const bool keeps = keep_ > 1 && written_step_ && *written_step_ != step;
  if (keeps) {
    keep_checkpoint(run_, *written_step_);
  }
  try {
    write_checkpoint(checkpoint, run_);
  } catch (const UnsyncedFile&) {
    written_step_ = step;
    throw;
  } catch (...) {
    if (keeps) {
      put_back_checkpoint(run_, *written_step_);
    }
    throw;
  }
  written_step_ = step;
  remove_kept_checkpoints(run_, static_cast<std::size_t>(keep_ - 1));
  derive(checkpoint);
}

void CheckpointWriter::derive(const Checkpoint& checkpoint) {
  const auto best_step = checkpoint.progress.best_step;
  const bool best_is_there = best_step_ == best_step && best_step > 0;
  not_derived_ = write_derived_files(checkpoint, run_, best_is_there ? Derived::all_but_best_encoder : Derived::all);
  if (not_derived_.empty()) {
    best_step_ = best_step;
  }
}

void CheckpointWriter::write_derived_files_of(const Checkpoint& checkpoint) {
  derive(checkpoint);
  if (!not_derived_.empty()) {
    log_.warning(not_derived_);
  }
}

void CheckpointWriter::poll() {
  if (pending_.valid() && pending_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    wait();
  }
}

void CheckpointWriter::finish() {
  wait();
  if (failures_ > 0) {
    throw Error("the last save failed: " + last_failure_ + what_is_kept());
  }
}

std::optional<std::int64_t> CheckpointWriter::written_step() {
  try {
    wait();
  } catch (const Error& error) {  // who asks has worse to tell
    log_.warning(error.what());
  }
  return written_step_;
}

void CheckpointWriter::wait() {
  if (!pending_.valid()) {
    return;
  }
  try {
    pending_.get();
    failures_ = 0;
    if (!not_derived_.empty()) {
      log_.warning("the checkpoint is saved, but " + not_derived_ + "; the next save or --resume tries again");
    }
    log_.debug("saved step " + std::to_string(written_step_.value()) + " in " + run_.folder().string());
  } catch (const std::exception& error) {
    ++failures_;
    last_failure_ = error.what();
    if (failures_ < kFailuresToStop) {
      log_.warning("cannot save: " + last_failure_ + "; the checkpoint before is kept, trying again at the next save");
      return;
    }
    throw Error("saving failed " + std::to_string(failures_) + " times in a row: " + last_failure_ + what_is_kept());
  }
}

std::string CheckpointWriter::what_is_kept() const {
  const std::string step = written_step_ ? "of step " + std::to_string(*written_step_) : "before";
  return "; the checkpoint " + step + " is kept, --resume goes on from it once that is mended";
}

}  // namespace relic
