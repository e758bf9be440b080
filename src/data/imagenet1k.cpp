#include <filesystem>
#include <string>
#include <utility>

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

}  // namespace

FoundDataset find_imagenet1k(const DatasetRequest& request) {
  const fs::path root = find_root(request.path);
  LabelledFiles train = find_images(root / "train");
  label_by_folder(train);
  if (train.labels.empty()) {
    throw Error((root / "train").string() + ": a folder of images for each class (n01440764, …) is expected here");
  }
  if (request.split != Split::test) return found_files(evenly_spread(std::move(train), request.max_images));
  LabelledFiles validation = find_images(root / "val");
  label_by_folder(validation, train.classes);
  return found_files(evenly_spread(std::move(validation), request.max_images));
}

}  // namespace relic
