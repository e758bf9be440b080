// A numbered collection of images, and how it is opened by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relic/core/error.h"
#include "relic/data/image.h"

namespace relic {

/// One image that cannot be read, its path and the reason; those beside it may be fine.
class BadImage : public Error {
 public:
  using Error::Error;
};

/// Images 0 … size−1, of any sizes, wherever they live. All members may be called from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Image `index`: a reference into the data set's own memory, or into `scratch`, which a reader that decodes fills.
  /// Throws BadImage, or Error where no image can be read, naming the file (and offset).
  virtual ImageRef image(std::int64_t index, Image& scratch) const = 0;
  /// The size of all images, where it is known before any is read; none of them is a BadImage then.
  [[nodiscard]] virtual std::optional<ImageSize> common_size() const { return std::nullopt; }
  /// Class of image `index`, or −1 where the data set has no labels.
  [[nodiscard]] virtual int label(std::int64_t index) const = 0;
  /// Names of the classes; empty where there are no labels.
  [[nodiscard]] virtual const std::vector<std::string>& class_names() const = 0;
  /// What people call image `index`: its file, below the data set's folder, or its number.
  [[nodiscard]] virtual std::string name(std::int64_t index) const { return std::to_string(index); }
  /// The file that holds image `index` alone; empty where there is none.
  [[nodiscard]] virtual std::filesystem::path file(std::int64_t /*index*/) const { return {}; }
};

/// What to learn from without labels, and the labelled images for scores; `train` and `pretraining` hold the same
/// images where a data set has no others.
enum class Split { pretraining, train, test };

/// What is known of a data set before it is opened.
struct DatasetInfo {
  std::string name;
  int image_size = 0;      ///< side of a global view, pixels
  bool one_size = false;   ///< all images are squares of that side
  bool in_memory = false;  ///< read whole when it is opened
  bool synthetic = false;  ///< drawn by us: its scores say nothing about real images
};

/// Of all known data sets.
std::vector<std::string> dataset_names();
/// Throws UsageError, with the nearest known name, for any other.
const DatasetInfo& dataset_info(const std::string& name);

struct DatasetRequest {
  std::string name{};
  std::filesystem::path path{};  ///< the folder that holds data sets; of `folder`, the images (`--dataset_path`)
  Split split = Split::train;
  std::int64_t max_images = 0;  ///< so many only, the first ones, or of class folders evenly spread ones; 0: all
  std::uint64_t seed = 42;      ///< of the images drawn, or of those held out where there is no test split
};

/// A data set that is there, told from names and sizes of files; no image is read yet.
struct FoundDataset {
  std::int64_t size = 0;
  std::int64_t classes = 0;      ///< 0: no labels, so no scores
  bool separate_labels = false;  ///< the labelled images of Split::train are others than these
  std::string note{};            ///< for people, where something was made out of what is there
  /// Reads into memory what is small. Throws Error with path, offset and what to do.
  std::function<std::unique_ptr<Dataset>()> open{};
};

/// Throws Error with path and what to do where it is not there, or not whole.
FoundDataset find_dataset(const DatasetRequest& request);

/// find_dataset(request).open()
std::unique_ptr<Dataset> open_dataset(const DatasetRequest& request);

}  // namespace relic
