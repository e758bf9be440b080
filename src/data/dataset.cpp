#include "relic/data/dataset.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "data/readers.h"
#include "relic/core/nearest_name.h"
#include "relic/data/download.h"

namespace relic {
namespace {

const std::vector<DatasetInfo>& table() {
  static const std::vector<DatasetInfo> infos = {
      {.name = "stl10", .image_size = 96},
      {.name = "cifar10", .image_size = 32, .in_memory = true},
      {.name = "tiny_imagenet", .image_size = 64},
      {.name = "food101", .image_size = 192},
      {.name = "imagenet1k", .image_size = 192},
      {.name = "folder", .image_size = 192},
      {.name = "shapes", .image_size = 32, .in_memory = true, .synthetic = true},
  };
  return infos;
}

using Finder = FoundDataset (*)(const DatasetRequest&);
constexpr Finder finders[] = {find_stl10,      find_cifar10, find_tiny_imagenet, find_food101,
                              find_imagenet1k, find_folder,  find_shapes};  // in the table's order

}  // namespace

std::span<const DatasetInfo> known_datasets() { return table(); }

const DatasetInfo& dataset_info(const std::string& name) {
  const auto found = std::ranges::find(table(), name, &DatasetInfo::name);
  if (found != table().end()) {
    return *found;
  }
  std::vector<std::string> names;
  std::string list;
  for (const DatasetInfo& info : table()) {
    names.push_back(info.name);
    list += (list.empty() ? "" : ", ") + info.name;
  }
  const std::string nearest = nearest_name(name, names);
  throw UsageError("unknown data set '" + name + "'" + (nearest.empty() ? "" : ": did you mean '" + nearest + "'?") +
                   " Known: " + list);
}

std::filesystem::path dataset_root(const DatasetRequest& request) {
  const ArchiveSource& archive = *official_archive(request.name);
  std::filesystem::path root = request.path / archive.folder;
  std::error_code ignored;
  if (!std::filesystem::is_directory(root, ignored)) {
    throw Error("no " + archive.title + " in " + root.string() + ": leave out --no_download to fetch it, unpack " +
                archive.url + " in " + request.path.string() + ", or point --dataset_path at the folder that holds " +
                archive.folder);
  }
  return root;
}

FoundDataset find_dataset(const DatasetRequest& request) {
  const DatasetInfo& info = dataset_info(request.name);
  if (request.max_images < 0) {
    throw UsageError("--max_images " + std::to_string(request.max_images) + ": must not be negative (0 means all)");
  }
  return finders[&info - table().data()](request);
}

std::unique_ptr<Dataset> open_dataset(const DatasetRequest& request) { return find_dataset(request).open(); }

}  // namespace relic
