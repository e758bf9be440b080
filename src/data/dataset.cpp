#include "relic/data/dataset.h"

#include <string>
#include <vector>

#include "data/readers.h"
#include "relic/core/nearest_name.h"
#include "relic/data/download.h"

namespace relic {
namespace {

struct KnownDataset {
  DatasetInfo info;
  FoundDataset (*find)(const DatasetRequest&);
};

const std::vector<KnownDataset>& table() {
  static const std::vector<KnownDataset> datasets = {
      {{.name = "stl10", .image_size = 96, .one_size = true}, find_stl10},
      {{.name = "cifar10", .image_size = 32, .one_size = true, .in_memory = true}, find_cifar10},
      {{.name = "tiny_imagenet", .image_size = 64}, find_tiny_imagenet},
      {{.name = "food101", .image_size = 192}, find_food101},
      {{.name = "imagenet1k", .image_size = 192}, find_imagenet1k},
      {{.name = "folder", .image_size = 192}, find_folder},
      {{.name = "shapes", .image_size = 32, .one_size = true, .in_memory = true, .synthetic = true}, find_shapes},
  };
  return datasets;
}

const KnownDataset& known_dataset(const std::string& name) {
  for (const KnownDataset& dataset : table()) {
    if (dataset.info.name == name) return dataset;
  }
  std::string list;
  for (const std::string& known : dataset_names()) list += (list.empty() ? "" : ", ") + known;
  const std::string nearest = nearest_name(name, dataset_names());
  throw UsageError("unknown data set '" + name + "'" + (nearest.empty() ? "" : ": did you mean '" + nearest + "'?") +
                   " Known: " + list);
}

}  // namespace

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const KnownDataset& dataset : table()) names.push_back(dataset.info.name);
  return names;
}

const DatasetInfo& dataset_info(const std::string& name) { return known_dataset(name).info; }

std::filesystem::path dataset_root(const DatasetRequest& request) {
  const ArchiveSource& archive = *official_archive(request.name);
  std::filesystem::path root = request.path / archive.folder;
  std::error_code ignored;
  if (std::filesystem::is_directory(root, ignored)) {
    return root;
  }
  const auto named = named_folder(request.path);
  if (named.filename() == archive.folder) {
    throw Error("--dataset_path " + request.path.string() + ": is the folder of " + archive.title +
                " itself; name the folder above: --dataset_path " + named.parent_path().string());
  }
  throw Error("no " + archive.title + " in " + root.string() +
              ": a run that has neither --no_download nor --dry_run fetches it; or unpack " + archive.url + " in " +
              request.path.string() + ", or point --dataset_path at the folder that holds " + archive.folder);
}

FoundDataset find_dataset(const DatasetRequest& request) {
  const KnownDataset& dataset = known_dataset(request.name);
  if (request.max_images < 0) {
    throw UsageError("--max_images " + std::to_string(request.max_images) + ": must not be negative (0 means all)");
  }
  return dataset.find(request);
}

std::unique_ptr<Dataset> open_dataset(const DatasetRequest& request) { return find_dataset(request).open(); }

}  // namespace relic
