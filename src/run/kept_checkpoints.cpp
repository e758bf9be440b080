#include "relic/run/kept_checkpoints.h"

#include <torch/torch.h>

#include <algorithm>
#include <system_error>

#include "relic/core/error.h"
#include "relic/formats/pth.h"

namespace relic {

namespace fs = std::filesystem;

namespace {

void move_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) {
    throw Error("cannot rename " + from.string() + " to " + to.filename().string() + ": " + error.message());
  }
}

/// A second name, or where the file system has none, the only one.
void link_or_move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (error) {
    move_file(from, to);
  }
}

/// Each with a semicolon behind.
std::string reasons_of(const std::vector<DamagedFile>& files) {
  std::string reasons;
  for (const auto& file : files) {
    reasons += file.reason + "; ";
  }
  return reasons;
}

}  // namespace

void keep_checkpoint(const RunDirectory& run, std::int64_t step) {
  const auto kept = run.checkpoint_of(step);
  std::error_code ignored;
  if (!fs::is_regular_file(run.checkpoint(), ignored)) {
    return;
  }
  fs::remove(kept, ignored);  // an older link to the same, or what a run that went another way left
  link_or_move(run.checkpoint(), kept);
}

void put_back_checkpoint(const RunDirectory& run, std::int64_t step) {
  std::error_code ignored;
  if (!fs::exists(run.checkpoint(), ignored)) {
    fs::rename(run.checkpoint_of(step), run.checkpoint(), ignored);
  }
}

void remove_kept_checkpoints(const RunDirectory& run, std::size_t count) {
  const auto steps = run.kept_steps();
  std::error_code ignored;
  for (std::size_t i = count; i < steps.size(); ++i) {
    fs::remove(run.checkpoint_of(steps[i]), ignored);
  }
}

void remove_kept_after(const RunDirectory& run, std::int64_t step) {
  std::error_code ignored;
  for (const auto kept : run.kept_steps()) {
    if (kept > step) {
      fs::remove(run.checkpoint_of(kept), ignored);
    }
  }
}

NewestCheckpoint read_newest_checkpoint(const RunDirectory& run) {
  NewestCheckpoint newest;
  for (const auto& file : run.checkpoints()) {
    try {
      newest.checkpoint = read_checkpoint(file);
      newest.file = file;
      return newest;
    } catch (const DamagedCheckpoint& error) {
      newest.damaged.push_back({file, error.what()});
    } catch (const Error& error) {
      if (newest.damaged.empty()) {
        throw;
      }
      throw Error(reasons_of(newest.damaged) + error.what());
    }
  }
  const std::string last = newest.damaged.back().reason;
  newest.damaged.pop_back();
  throw DamagedCheckpoint(reasons_of(newest.damaged) + last);
}

namespace {

bool holds(const fs::path& file, const StateDict& tensors) {
  try {
    return std::ranges::equal(read_state_dict(file), tensors, [](const auto& a, const auto& b) {
      return a.first == b.first && a.second.sizes() == b.second.sizes() && torch::equal(a.second, b.second);
    });
  } catch (const Error&) {
    return false;
  }
}

/// Whether what lies there is the checkpoint's own: a save was cut off between one name and the next.
bool lies_there_as_it_is(const Checkpoint& checkpoint, const RunDirectory& run) {
  return holds(run.model(), checkpoint.model) && holds(run.encoder(), encoder_of(checkpoint));
}

/// Under a second name, for a file that is replaced; one that is cut is copied. Throws Error.
void keep_later(const fs::path& file, bool is_cut) {
  std::error_code error;
  if (!fs::exists(file, error)) {
    return;
  }
  const auto later = RunDirectory::later(file);
  if (!is_cut) {
    fs::create_hard_link(file, later, error);
    if (!error) {
      return;
    }
  }
  error.clear();
  fs::copy_file(file, later, error);
  if (error) {
    std::error_code ignored;
    fs::remove(later, ignored);
    throw Error("cannot keep " + file.string() + " as " + later.filename().string() + ": " + error.message() +
                "; free some space or move it away");
  }
}

}  // namespace

void set_damaged_aside(const NewestCheckpoint& newest, const RunDirectory& run) {
  if (newest.damaged.empty()) {
    return;
  }
  std::error_code ignored;
  if (!lies_there_as_it_is(newest.checkpoint, run)) {
    for (const auto& file : run.written_over()) {
      keep_later(file, /*is_cut=*/file == run.metrics());
    }
    fs::remove(run.scores(), ignored);
  }
  for (const auto& [file, reason] : newest.damaged) {
    if (fs::exists(file, ignored)) {
      move_file(file, RunDirectory::damaged(file));
    }
  }
  if (newest.file != run.checkpoint()) {
    link_or_move(newest.file, run.checkpoint());
  }
}

fs::path set_best_encoder_aside(const RunDirectory& run) {
  std::error_code ignored;
  if (!fs::exists(run.best_encoder(), ignored)) {
    return {};
  }
  auto kept = RunDirectory::later(run.best_encoder());
  move_file(run.best_encoder(), kept);
  return kept;
}

}  // namespace relic
