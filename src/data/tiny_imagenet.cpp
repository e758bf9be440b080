#include <filesystem>
#include <string>
#include <vector>

#include "data/labelled_files.h"
#include "data/readers.h"
#include "relic/core/error.h"
#include "relic/core/file.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> read_classes(const fs::path& root) {
  std::vector<std::string> classes = read_lines(root / "wnids.txt");
  if (classes.empty()) throw Error((root / "wnids.txt").string() + ": names no class; unpack the archive again");
  return classes;
}

std::string first_word(const std::string& line) { return line.substr(0, line.find_first_of(" \t")); }

/// "val_0.JPEG<tab>n03444034<tab>x<tab>y…" a line.
LabelledFiles validation_images(const fs::path& root) {
  LabelledFiles images{.root = root / "val/images", .classes = read_classes(root)};
  const fs::path list = root / "val/val_annotations.txt";
  for (const std::string& line : read_lines(list)) {
    const std::string file = first_word(line);
    const std::size_t second = line.find_first_not_of(" \t", file.size());
    const std::string name = second == std::string::npos ? "" : first_word(line.substr(second));
    add_listed(images, file, name, list, file, "wnids.txt");
  }
  if (images.files.size() == 0) throw Error(list.string() + ": names no image; unpack the archive again");
  return images;
}

}  // namespace

FoundDataset find_tiny_imagenet(const DatasetRequest& request) {
  const fs::path root = dataset_root(request);
  if (request.split == Split::test) return found_files(evenly_spread(validation_images(root), request.max_images));
  LabelledFiles images = find_images(root / "train");
  label_by_folder(images, read_classes(root));
  return found_files(evenly_spread(std::move(images), request.max_images));
}

}  // namespace relic
