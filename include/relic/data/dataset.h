// A numbered collection of images, and how it is opened by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "relic/data/image.h"

namespace relic {

/// Images 0 … size−1, of any sizes, wherever they live. All members may be called from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Image `index`: a reference into the data set's own memory, or into `scratch`, which a reader that decodes fills.
  /// Throws Error naming the file (and offset) that cannot be read.
  virtual ImageRef image(std::int64_t index, Image& scratch) const = 0;
  /// Class of image `index`, or −1 where the data set has no labels.
  [[nodiscard]] virtual int label(std::int64_t index) const = 0;
  /// Names of the classes; empty where there are no labels.
  [[nodiscard]] virtual const std::vector<std::string>& class_names() const = 0;
};

enum class Split { train, test };

/// What is known of a data set before it is opened.
struct DatasetInfo {
  std::string name;
  int image_size = 0;  ///< side of a global view, pixels
  std::int64_t class_count = 0;
  bool synthetic = false;  ///< drawn by us: its scores say nothing about real images
  bool available = false;  ///< whether this version reads it
};

std::span<const DatasetInfo> known_datasets();
/// Throws UsageError, with the nearest known name, for any other.
const DatasetInfo& dataset_info(const std::string& name);

struct DatasetRequest {
  std::string name{};
  std::filesystem::path path{};  ///< the folder that holds data sets (`--dataset_path`)
  Split split = Split::train;
  std::int64_t max_images = 0;  ///< the first so many only; 0: all
  std::uint64_t seed = 42;      ///< for synthetic data sets
};

/// How many images open_dataset would give, told from names and sizes of files. Throws as it does.
std::int64_t count_images(const DatasetRequest& request);

/// Opens (and, where small, reads into memory) a data set. Throws Error with path, offset and what to do.
std::unique_ptr<Dataset> open_dataset(const DatasetRequest& request);

}  // namespace relic
