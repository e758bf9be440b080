#include "relic/train/checkpoint_writer.h"

#include "relic/core/error.h"

namespace relic {

namespace {
constexpr int kFailuresToStop = 3;
}

CheckpointWriter::~CheckpointWriter() {
  if (pending_.valid()) {
    pending_.wait();
  }
}

void CheckpointWriter::save(std::shared_ptr<const Checkpoint> checkpoint) {
  wait();
  if (failures_ >= kFailuresToStop) {
    throw Error("saving failed " + std::to_string(failures_) + " times in a row: " + last_failure_ +
                "; the last good checkpoint is kept");
  }
  pending_ = std::async(std::launch::async,
                        [this, checkpoint = std::move(checkpoint)] { write_checkpoint(*checkpoint, run_); });
}

void CheckpointWriter::finish() {
  wait();
  if (failures_ > 0) {
    throw Error("the last save failed: " + last_failure_);
  }
}

void CheckpointWriter::wait() {
  if (!pending_.valid()) {
    return;
  }
  try {
    pending_.get();
    failures_ = 0;
  } catch (const std::exception& error) {
    ++failures_;
    last_failure_ = error.what();
    log_.warning("cannot save: " + last_failure_ + "; the checkpoint before is kept, trying again at the next save");
  }
}

}  // namespace relic
