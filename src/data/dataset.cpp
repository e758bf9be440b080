#include "relic/data/dataset.h"

#include <algorithm>
#include <array>

#include "data/readers.h"
#include "relic/core/error.h"
#include "relic/core/nearest_name.h"

namespace relic {
namespace {

const std::array<DatasetInfo, 6>& table() {
  static const std::array<DatasetInfo, 6> infos = {{
      {.name = "stl10", .image_size = 96, .class_count = 10},
      {.name = "cifar10", .image_size = 32, .class_count = 10, .available = true},
      {.name = "tiny_imagenet", .image_size = 64, .class_count = 200},
      {.name = "food101", .image_size = 192, .class_count = 101},
      {.name = "imagenet1k", .image_size = 192, .class_count = 1000},
      {.name = "shapes", .image_size = 32, .class_count = 10, .synthetic = true, .available = true},
  }};
  return infos;
}

std::string joined_names(bool available_only) {
  std::string names;
  for (const DatasetInfo& info : table()) {
    if (info.available || !available_only) {
      names += (names.empty() ? "" : ", ") + info.name;
    }
  }
  return names;
}

}  // namespace

std::span<const DatasetInfo> known_datasets() { return table(); }

const DatasetInfo& dataset_info(const std::string& name) {
  const auto found = std::ranges::find(table(), name, &DatasetInfo::name);
  if (found != table().end()) {
    return *found;
  }
  std::vector<std::string> names;
  for (const DatasetInfo& info : table()) {
    names.push_back(info.name);
  }
  const std::string nearest = nearest_name(name, names);
  throw UsageError("unknown data set '" + name + "'" + (nearest.empty() ? "" : ": did you mean '" + nearest + "'?") +
                   " Known: " + joined_names(false));
}

namespace {

const DatasetInfo& readable(const DatasetRequest& request) {
  const DatasetInfo& info = dataset_info(request.name);
  if (!info.available) {
    throw UsageError("this version cannot read the data set '" + info.name + "' yet; it reads " + joined_names(true));
  }
  if (request.max_images < 0) {
    throw UsageError("--max_images " + std::to_string(request.max_images) + ": must not be negative (0 means all)");
  }
  return info;
}

}  // namespace

std::int64_t count_images(const DatasetRequest& request) {
  return readable(request).name == "cifar10" ? count_cifar10(request) : count_shapes(request);
}

std::unique_ptr<Dataset> open_dataset(const DatasetRequest& request) {
  return readable(request).name == "cifar10" ? open_cifar10(request) : make_shapes(request);
}

}  // namespace relic
