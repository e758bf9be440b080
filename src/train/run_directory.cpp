#include "relic/train/run_directory.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "relic/core/error.h"
#include "relic/core/file.h"

namespace relic {

namespace fs = std::filesystem;

namespace {

std::array<fs::path, 6> files_of(const RunDirectory& run) {
  // The checkpoint goes last: while it is there, the run can be resumed.
  return {run.encoder(), run.model(), run.settings(), run.metrics(), run.log(), run.checkpoint()};
}

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

}  // namespace

bool RunDirectory::has_checkpoint() const { return present(checkpoint()); }

bool RunDirectory::holds_run() const {
  const auto files = files_of(*this);
  return std::any_of(files.begin(), files.end(), present);
}

bool RunDirectory::holds_weights_only() const { return !has_checkpoint() && (present(model()) || present(encoder())); }

void RunDirectory::create() const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error || !fs::is_directory(folder_)) {
    throw Error("cannot create the run's directory " + folder_.string() + ": " +
                (error ? error.message() : "a file of that name exists") + "; name another with -save_model_dir");
  }
}

void RunDirectory::require_free() const {
  if (holds_run()) {
    throw UsageError("-save_model_dir " + folder_.string() +
                     ": holds a run already; --resume goes on with it, --overwrite starts anew in its place");
  }
}

void RunDirectory::remove_run() const {
  for (const auto& file : files_of(*this)) {
    std::error_code error;
    fs::remove(file, error);
    if (error) {
      throw Error("cannot remove " + file.string() + ": " + error.message());
    }
  }
}

void RunDirectory::cut_log_back(std::int64_t bytes) const {
  std::error_code error;
  const auto size = fs::file_size(log(), error);
  if (!error && size > static_cast<std::uintmax_t>(bytes)) {
    truncate_file(log(), static_cast<std::uint64_t>(bytes));
  }
}

}  // namespace relic
