#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "data/labelled_files.h"
#include "data/readers.h"
#include "relic/core/error.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

fs::path find_root(const fs::path& path) {
  for (const fs::path& root : {path / "imagenet1k", path}) {
    std::error_code ignored;
    if (fs::is_directory(root / "train", ignored)) return root;
  }
  throw Error(
      "no ImageNet in " + (path / "imagenet1k").string() +
      ": it cannot be downloaded freely; get the ILSVRC 2012 archives from https://image-net.org and unpack the "
      "images into train/CLASS and val/CLASS (n01440764, …) there");
}

/// The names of the folders in `train`, in order: the classes of both splits.
std::vector<std::string> class_names(const fs::path& train) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(train, ignored)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && entry.is_directory(ignored)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  if (names.size() < 2) {
    throw Error(train.string() + ": a folder of images for each class (n01440764, …) is expected here");
  }
  return names;
}

}  // namespace

FoundDataset find_imagenet1k(const DatasetRequest& request) {
  const fs::path root = find_root(request.path);
  LabelledFiles images = find_images(root / (request.split == Split::test ? "val" : "train"));
  label_by_folder(images, class_names(root / "train"));
  return found_files(evenly_spread(std::move(images), request.max_images));
}

}  // namespace relic
