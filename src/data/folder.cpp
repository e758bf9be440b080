#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/labelled_files.h"
#include "data/readers.h"
#include "relic/core/random.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> test_folder(const fs::path& root) {
  std::error_code ignored;
  if (!fs::is_directory(root / "train", ignored)) return std::nullopt;
  for (const char* name : {"test", "val", "valid", "validation"}) {
    if (fs::is_directory(root / name, ignored)) return root / name;
  }
  return std::nullopt;
}

/// A tenth of the images, by their names and the seed alone, so that an image more moves no other.
bool is_held_out(std::string_view name, std::uint64_t seed) {
  std::uint64_t hash = splitmix64(seed);
  for (const char c : name) hash = splitmix64(hash ^ static_cast<unsigned char>(c));
  return hash % 10 == 0;
}

std::string label_note(const LabelledFiles& images) {
  if (images.labels.empty()) return "no class folders, so no labels and no scores";
  return std::to_string(images.classes.size()) + " classes, the folders " + images.classes.front() + " to " +
         images.classes.back();
}

/// Images that lie in one folder are split here for the scores. All of them serve for pretraining, which sees no label.
LabelledFiles part_of(LabelledFiles images, const DatasetRequest& request) {
  if (request.split == Split::pretraining || images.labels.empty()) return images;
  const bool test = request.split == Split::test;
  return select(images, [&](std::size_t i) { return is_held_out(images.files[i], request.seed) == test; });
}

}  // namespace

FoundDataset find_folder(const DatasetRequest& request) {
  const auto test = test_folder(request.path);
  LabelledFiles images = find_images(test ? request.path / "train" : request.path);
  label_by_folder(images);
  const bool labelled = !images.labels.empty();
  std::string note = label_note(images);
  if (!test) {
    images = part_of(std::move(images), request);
    note += labelled ? "; no test folder: a tenth is held out from the labels for the scores" : "";
  } else if (request.split == Split::test && labelled) {
    const std::vector<std::string> classes = images.classes;
    images = find_images(*test);
    label_by_folder(images, classes);
  }
  FoundDataset found = found_files(evenly_spread(std::move(images), request.max_images));
  found.separate_labels = labelled && !test;
  found.note = std::move(note);
  return found;
}

}  // namespace relic
