#include "dry_run_text.h"

#include <vector>

#include "disk_text.h"
#include "memory_text.h"
#include "relic/core/error.h"
#include "relic/core/folder_lock.h"
#include "relic/core/text.h"
#include "relic/data/fingerprint.h"
#include "relic/train/options.h"
#include "relic/train/settings_file.h"
#include "resume_text.h"

namespace relic {

namespace {

/// Why the training itself would be refused as things stand.
std::vector<std::string> what_is_in_the_way(const Plan& plan, const RunDirectory& run) {
  std::vector<std::string> reasons;
  if (const auto holder = FolderLock::holder(run.folder(), RunDirectory::kLockName); !holder.empty()) {
    reasons.push_back(run.folder().string() + " is in use by " + holder + ": a training is refused until it ends");
  }
  try {
    run.require_place();
    if (!plan.config.resume && !plan.config.overwrite) {
      run.require_free();
    }
  } catch (const UsageError& error) {
    reasons.emplace_back(error.what());
  }
  return reasons;
}

}  // namespace

std::string dry_run_text(const Plan& plan, const RunDirectory& run) {
  const auto relic = initial_relic(plan.config, torch::kCPU);
  std::string text = settings_toml(plan.config) + '\n';
  const auto add = [&text](const std::vector<std::string>& lines, const char* before = "") {
    for (const auto& line : lines) {
      text += before + one_line(line) + '\n';
    }
  };
  add(plan_text(plan, *relic));
  add(plan.runtime.warnings, "warning: ");
  add(what_is_in_the_way(plan, run), "warning: ");
  if (const auto files = run.names_of_files(); plan.config.overwrite && !files.empty()) {
    add({in_place_of(files)});
  }
  if (plan.start.checkpoint() != nullptr) {
    const std::string others = require_same_images(plan, fingerprint(*plan.images.open()));
    add(damage_text(plan), "warning: ");
    add(resume_text(plan, run));
    if (!others.empty()) {
      add({others});
    }
  } else if (plan.config.resume) {
    add({nothing_to_resume(run)});
  }
  const auto memory = memory_forecast(plan, *relic);
  add({memory.text, disk_text(plan, *relic, run)});
  if (!memory.warning.empty()) {
    add({memory.warning}, "warning: ");
  }
  if (const auto warning = disk_warning(plan, *relic, run); !warning.empty()) {
    add({warning}, "warning: ");
  }
  return text;
}

}  // namespace relic
