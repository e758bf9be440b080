// The checkpoints in a run's folder: checkpoint.pth, and those that it replaced, each under its step's name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "relic/run/checkpoint.h"
#include "relic/run/run_directory.h"

namespace relic {

/// Gives checkpoint.pth, which holds `step`, the second name earlier-checkpoint-STEP.pth, under which it outlasts the
/// next one. A hard link; on a file system without them it is moved there.
void keep_checkpoint(const RunDirectory& run, std::int64_t step);
/// Makes the kept checkpoint of `step` checkpoint.pth again, where there is no other.
void put_back_checkpoint(const RunDirectory& run, std::int64_t step);
/// Removes all kept checkpoints but the `count` newest.
void remove_kept_checkpoints(const RunDirectory& run, std::size_t count);
/// Removes those of later steps than `step`: of a way that a run did not go, which goes on from there.
void remove_kept_after(const RunDirectory& run, std::int64_t step);

/// A checkpoint that is there and cannot be read.
struct DamagedFile {
  std::filesystem::path file;
  std::string reason;  ///< begins with the file's path
};

/// What a run goes on from.
struct NewestCheckpoint {
  Checkpoint checkpoint;
  std::filesystem::path file;
  std::vector<DamagedFile> damaged;  ///< newer ones
};

/// The newest checkpoint that is whole. Throws DamagedCheckpoint with the reason of each where none is, and Error at
/// one of a newer format or that may not be read.
NewestCheckpoint read_newest_checkpoint(const RunDirectory& run);

/// Renames the damaged files (RunDirectory::damaged) and makes the whole one checkpoint.pth; what is of a later step
/// and about to be written over (model, encoders, scores, metrics) is kept before that (RunDirectory::later). Throws
/// Error with path and reason.
void set_damaged_aside(const NewestCheckpoint& newest, const RunDirectory& run);

/// Renames encoder_best.pth (RunDirectory::later); returns the new path, empty: there was none. Throws Error with path
/// and reason.
std::filesystem::path set_best_encoder_aside(const RunDirectory& run);

}  // namespace relic
