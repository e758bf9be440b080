#include "disk_text.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "relic/core/text.h"
#include "relic/nn/state_dict.h"

namespace relic {

namespace {

namespace fs = std::filesystem;

double bytes_of(const StateDict& tensors) {
  double bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    bytes += static_cast<double>(tensor.nbytes());
  }
  return bytes;
}

struct DiskNeed {
  double files = 0;   ///< bytes of all .pth files between two saves
  double saving = 0;  ///< bytes of the checkpoint that is written beside them
};

DiskNeed disk_need(const Plan& plan, Relic& relic) {
  double moments = 0;
  for (const auto& parameter : relic.trained_parameters()) {
    moments += 2 * static_cast<double>(parameter.nbytes());
  }
  const double model = bytes_of(state_dict(relic));
  const double encoder = bytes_of(state_dict(relic.target().encoder()));
  const double best = best_encoder_bytes(plan, relic);
  const double checkpoint = model + moments + best;
  return {static_cast<double>(plan.config.keep_checkpoints) * checkpoint + model + encoder + best, checkpoint};
}

/// Of the run's .pth files, which its next ones replace.
double bytes_there(const RunDirectory& run) {
  auto files = run.checkpoints();
  files.insert(files.end(), {run.model(), run.encoder(), run.best_encoder()});
  double bytes = 0;
  for (const auto& file : files) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    bytes += error ? 0 : static_cast<double>(size);
  }
  return bytes;
}

/// In the folder, or where it is to be made; nothing where that cannot be found out.
std::optional<double> free_bytes(const RunDirectory& run) {
  std::error_code error;
  const auto space = fs::space(run.place(), error);
  return error ? std::nullopt : std::optional(static_cast<double>(space.available));
}

}  // namespace

double best_encoder_bytes(const Plan& plan, Relic& relic) {
  const bool scored = plan.images.classes > 0 && !plan.config.no_scores;
  const bool has_one = plan.start.newest && !plan.start.checkpoint()->best_encoder.empty();
  return scored || has_one ? bytes_of(state_dict(relic.target().encoder())) : 0;
}

std::string disk_text(const Plan& plan, Relic& relic, const RunDirectory& run) {
  const auto need = disk_need(plan, relic);
  const auto free = free_bytes(run);
  return "disk: about " + bytes_text(need.files) + " in " + run.folder().string() + ", and " + bytes_text(need.saving) +
         " while it saves" + (free ? "; " + bytes_text(*free) + " are free there" : "");
}

std::string disk_warning(const Plan& plan, Relic& relic, const RunDirectory& run) {
  const auto need = disk_need(plan, relic);
  const auto free = free_bytes(run);
  const double needed = std::max(need.saving, need.files + need.saving - bytes_there(run));
  if (!free || *free >= needed) {
    return {};
  }
  return bytes_text(*free) + " are free in " + run.folder().string() + ", about " + bytes_text(needed) +
         " are needed: saves will fail";
}

}  // namespace relic
