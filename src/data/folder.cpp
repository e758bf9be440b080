#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/labelled_files.h"
#include "data/readers.h"
#include "relic/core/error.h"
#include "relic/core/random.h"
#include "relic/core/text.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

/// Where the images of each split are; the same folder twice where there is no test folder.
struct Folders {
  fs::path train;
  fs::path test;
};

/// Whether a folder holds a folder `train` and nothing else that can be seen.
bool holds_train_alone(const fs::path& root) {
  std::error_code ignored;
  bool found = false;
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    if (name != "train" || !entry.is_directory(ignored)) return false;
    found = true;
  }
  return found;
}

/// The folder in `root` of that name, in capitals or not.
std::optional<fs::path> child(const fs::path& root, std::string_view name) {
  std::error_code ignored;
  if (fs::is_directory(root / name, ignored)) return root / name;
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    if (lower_case(entry.path().filename().string()) == name && entry.is_directory(ignored)) return entry.path();
  }
  return std::nullopt;
}

Folders find_folders(const fs::path& root) {
  const auto train = child(root, "train");
  if (!train) return {root, root};
  for (const char* name : {"test", "val", "valid", "validation"}) {
    if (const auto test = child(root, name)) return {*train, *test};
  }
  if (holds_train_alone(root)) return {root / "train", root / "train"};
  return {root, root};
}

std::uint64_t hash_of(std::string_view name, std::uint64_t seed) {
  std::uint64_t hash = splitmix64(seed);
  for (const char c : name) hash = splitmix64(hash ^ static_cast<unsigned char>(c));
  return hash;
}

/// Which images are held out: a tenth of them, by their names and the seed alone, so that an image more moves no other;
/// at least one is, and one is not.
std::vector<bool> held_out(const FileList& files, std::uint64_t seed) {
  std::vector<std::uint64_t> hashes;
  std::vector<bool> out;
  for (std::size_t i = 0; i < files.size(); ++i) {
    hashes.push_back(hash_of(files[i], seed));
    out.push_back(hashes.back() % 10 == 0);
  }
  const auto [lowest, highest] = std::ranges::minmax_element(hashes);
  out[static_cast<std::size_t>(lowest - hashes.begin())] = true;
  out[static_cast<std::size_t>(highest - hashes.begin())] = false;
  return out;
}

std::string label_note(const LabelledFiles& images) {
  if (images.labels.empty()) {
    const auto in_folder = [&](std::size_t i) { return images.files[i].find('/') != std::string_view::npos; };
    std::optional<std::size_t> stray;
    bool any_folder = false;
    for (std::size_t i = 0; i < images.files.size(); ++i) {
      any_folder = any_folder || in_folder(i);
      if (!stray && !in_folder(i)) stray = i;
    }
    const std::string why =
        any_folder && stray ? one_line(images.files[*stray]) + " lies in no class folder" : "no class folders";
    return why + ", so no labels and no scores";
  }
  return std::to_string(images.classes.size()) + " classes, the folders " + images.classes.front() + " to " +
         images.classes.back();
}

/// Images that lie in one folder are split here for the scores. All of them serve for pretraining, which sees no label.
LabelledFiles part_of(LabelledFiles images, const DatasetRequest& request) {
  if (request.split == Split::pretraining || images.labels.empty()) return images;
  const bool test = request.split == Split::test;
  const std::vector<bool> out = held_out(images.files, request.seed);
  return select(images, [&](std::size_t i) { return out[i] == test; });
}

}  // namespace

FoundDataset find_folder(const DatasetRequest& request) {
  const Folders folders = find_folders(request.path);
  const bool split_here = folders.train == folders.test;
  LabelledFiles images = find_images(folders.train);
  label_by_folder(images);
  const bool labelled = !images.labels.empty();
  std::string note = label_note(images);
  if (split_here) {
    if (!labelled && request.split == Split::test) {
      throw Error(
          "--dataset_path " + request.path.string() +
          ": has no test images: neither a folder test (or val) beside train nor classes to hold images out of");
    }
    images = part_of(std::move(images), request);
    note += labelled ? "; no test folder: a tenth is held out from the labels for the scores" : "";
  } else if (request.split == Split::test) {
    const std::vector<std::string> classes = images.classes;
    images = find_images(folders.test);
    if (labelled) label_by_folder(images, classes);
  }
  FoundDataset found = found_files(evenly_spread(std::move(images), request.max_images));
  found.separate_labels = labelled && split_here;
  found.note = std::move(note);
  return found;
}

}  // namespace relic
