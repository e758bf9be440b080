#include "relic/run/run_directory.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>

#include "relic/core/error.h"
#include "relic/core/file.h"

namespace relic {

namespace fs = std::filesystem;

namespace {

/// A file that there is something to lose of.
bool has_content(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? fs::exists(fs::symlink_status(path, error)) : size > 0;
}

constexpr std::string_view kDamaged = ".damaged";
constexpr std::string_view kLater = ".later";

/// The file's name with `suffix`, and a number behind where that is taken.
fs::path free_name(const fs::path& file, std::string_view suffix) {
  const std::string name = file.string() + std::string(suffix);
  std::error_code ignored;
  fs::path free = name;
  for (int number = 2; fs::exists(fs::symlink_status(free, ignored)); ++number) {
    free = name + "-" + std::to_string(number);
  }
  return free;
}

/// The name before `suffix`, with or without a number behind; empty: it has none.
std::string_view name_before(std::string_view name, std::string_view suffix) {
  const auto at = name.rfind(suffix);
  if (at == std::string_view::npos) {
    return {};
  }
  const auto number = name.substr(at + suffix.size());
  const bool numbered =
      number.size() > 1 && number[0] == '-' && number.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return number.empty() || numbered ? name.substr(0, at) : std::string_view{};
}

/// Of a kept checkpoint's file.
std::optional<std::int64_t> step_in_name(std::string_view name) {
  constexpr std::string_view prefix = "earlier-checkpoint-";
  constexpr std::string_view suffix = ".pth";
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  const char* const end = name.data() + name.size() - suffix.size();
  std::int64_t step = 0;
  const auto [stopped, error] = std::from_chars(name.data() + prefix.size(), end, step);
  return error == std::errc{} && stopped == end && step >= 0 ? std::optional(step) : std::nullopt;
}

}  // namespace

bool RunDirectory::has_checkpoint() const { return has_content(checkpoint()) || !kept_steps().empty(); }

std::vector<std::int64_t> RunDirectory::kept_steps() const {
  std::vector<std::int64_t> steps;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    if (const auto step = step_in_name(entry.path().filename().string())) {
      steps.push_back(*step);
    }
  }
  std::ranges::sort(steps, std::greater{});
  return steps;
}

std::vector<fs::path> RunDirectory::checkpoints() const {
  std::vector<fs::path> files{checkpoint()};
  for (const auto step : kept_steps()) {
    files.push_back(checkpoint_of(step));
  }
  return files;
}

fs::path RunDirectory::damaged(const fs::path& file) { return free_name(file, kDamaged); }

fs::path RunDirectory::later(const fs::path& file) { return free_name(file, kLater); }

std::vector<fs::path> RunDirectory::set_aside() const {
  const auto over = written_over();
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    const auto damaged = name_before(name, kDamaged);
    const auto later = name_before(name, kLater);
    if (damaged == checkpoint().filename() || step_in_name(damaged) ||
        std::ranges::any_of(over, [&](const fs::path& file) { return file.filename() == later; })) {
      files.push_back(entry.path());
    }
  }
  return files;
}

bool RunDirectory::exists() const {
  std::error_code ignored;
  return fs::is_directory(folder_, ignored);
}

std::string RunDirectory::names_of_files() const {
  std::vector<fs::path> files{checkpoint(), model(),   encoder(), best_encoder(), scores(),
                              settings(),   metrics(), log(),     bad_images(),   not_finite()};
  std::ranges::copy(probe_reports(), std::back_inserter(files));
  std::ranges::copy(set_aside(), std::back_inserter(files));
  std::string names;
  for (const auto& file : files) {
    if (has_content(file)) {
      names += (names.empty() ? "" : ", ") + file.filename().string();
    }
  }
  return names;
}

void RunDirectory::require_folder() const {
  std::error_code ignored;
  if (!exists() && fs::exists(fs::symlink_status(folder_, ignored))) {
    throw UsageError("-save_model_dir " + folder_.string() + ": not a folder; name another one");
  }
}

void RunDirectory::create() const {
  require_folder();
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    throw UsageError("-save_model_dir " + folder_.string() + ": cannot be made: " + error.message() +
                     "; name another folder");
  }
}

fs::path RunDirectory::place() const {
  std::error_code ignored;
  fs::path there = fs::absolute(folder_, ignored);
  while (there.has_relative_path() && !fs::exists(fs::status(there, ignored))) {
    there = there.parent_path();
  }
  return there;
}

void RunDirectory::require_place() const {
  require_folder();
  std::error_code ignored;
  const fs::path there = place();
  if (!fs::is_directory(there, ignored) || ::access(there.c_str(), W_OK | X_OK) != 0) {
    const std::string reason = fs::is_directory(there, ignored) ? std::strerror(errno) : "Not a directory";
    throw UsageError("-save_model_dir " + folder_.string() + ": cannot be written to, for " + there.string() + ": " +
                     reason + "; name another folder");
  }
}

void RunDirectory::require_free() const {
  if (has_checkpoint()) {
    throw UsageError("-save_model_dir " + folder_.string() +
                     ": holds a run already; --resume goes on with it, --overwrite starts anew in its place");
  }
  if (const auto names = names_of_files(); !names.empty()) {
    throw UsageError("-save_model_dir " + folder_.string() + ": holds files of a run already (" + names +
                     "), but no checkpoint.pth to go on from; --overwrite starts anew in their place");
  }
}

void RunDirectory::require_checkpoint_or_nothing() const {
  const auto names = names_of_files();
  if (has_checkpoint() || names.empty()) {
    return;
  }
  const std::string start =
      "--resume: " + folder_.string() + " holds files of a run (" + names + "), but no checkpoint.pth to go on from; ";
  if (has_content(model())) {
    throw UsageError(start + "--ckpt_path " + model().string() + " --overwrite starts a new run from these weights");
  }
  throw UsageError(start + "--overwrite starts anew in their place");
}

void RunDirectory::remove_leftovers() const {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    if (is_temporary_file(entry.path())) {
      fs::remove(entry.path(), ignored);
    }
  }
}

}  // namespace relic
