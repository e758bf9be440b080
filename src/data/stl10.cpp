#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/open_file.h"
#include "data/labelled_files.h"
#include "data/readers.h"
#include "relic/core/error.h"
#include "relic/core/file.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

constexpr int stl10_side = 96;
constexpr std::size_t stl10_plane_bytes = std::size_t{stl10_side} * stl10_side;
constexpr std::size_t stl10_image_bytes = 3 * stl10_plane_bytes;
constexpr std::size_t stl10_class_count = 10;

/// The pixels stay in the file (the unlabelled ones are 2.8 GB), from which an image is a single read.
class Stl10Dataset : public Dataset {
 public:
  Stl10Dataset(fs::path file, std::int64_t size, std::vector<int> labels, std::vector<std::string> names)
      : file_(std::move(file)),
        descriptor_(open_or_fail("read", file_, O_RDONLY)),
        size_(size),
        labels_(std::move(labels)),
        names_(std::move(names)) {}

  [[nodiscard]] std::int64_t size() const override { return size_; }
  ImageRef image(std::int64_t index, Image& scratch) const override {
    std::array<std::uint8_t, stl10_image_bytes> record;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
    read(static_cast<off_t>(index) * static_cast<off_t>(stl10_image_bytes), record);
    scratch.resize(stl10_side, stl10_side);
    for (std::size_t x = 0; x < stl10_side; ++x) {  // planes R, G, B, each column after column
      for (std::size_t y = 0; y < stl10_side; ++y) {
        for (std::size_t channel = 0; channel < 3; ++channel) {
          scratch.pixels[3 * (y * stl10_side + x) + channel] = record[channel * stl10_plane_bytes + x * stl10_side + y];
        }
      }
    }
    return scratch.ref();
  }
  [[nodiscard]] std::optional<ImageSize> common_size() const override { return ImageSize{stl10_side, stl10_side}; }
  [[nodiscard]] int label(std::int64_t index) const override {
    return labels_.empty() ? -1 : labels_[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }

 private:
  void read(off_t offset, std::array<std::uint8_t, stl10_image_bytes>& record) const {
    for (std::size_t done = 0; done < record.size();) {
      const off_t at = offset + static_cast<off_t>(done);
      const ssize_t count = ::pread(descriptor_.get(), record.data() + done, record.size() - done, at);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        throw Error(file_.string() + ": cannot be read at byte " + std::to_string(at) + ": " +
                    (count == 0 ? "it ends there" : std::strerror(errno)) + "; unpack the STL-10 archive again");
      }
      done += static_cast<std::size_t>(count);
    }
  }

  fs::path file_;
  Descriptor descriptor_;
  std::int64_t size_;
  std::vector<int> labels_;
  std::vector<std::string> names_;
};

std::int64_t count_records(const fs::path& file, std::size_t record_bytes) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(file, error);
  if (error) throw Error("cannot read " + file.string() + ": " + error.message() + "; unpack the STL-10 archive again");
  if (bytes == 0 || bytes % record_bytes != 0) {
    throw Error(file.string() + ": " + std::to_string(bytes) + " bytes, where a multiple of " +
                std::to_string(record_bytes) + " is expected; unpack the STL-10 archive again");
  }
  return static_cast<std::int64_t>(bytes / record_bytes);
}

/// Labels are 1 to 10 in the file.
std::vector<int> read_labels(const fs::path& file, std::int64_t count) {
  const std::string bytes = read_file(file);
  std::vector<int> labels;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const int label = static_cast<unsigned char>(bytes.at(i)) - 1;
    if (label < 0 || label >= static_cast<int>(stl10_class_count)) {
      throw Error(file.string() + ": label " + std::to_string(label + 1) + " at byte " + std::to_string(i) +
                  ", where 1 to 10 is expected; unpack the STL-10 archive again");
    }
    labels.push_back(label);
  }
  return labels;
}

std::unique_ptr<Dataset> open_stl10(const fs::path& root, const std::string& name, std::int64_t size, bool labelled) {
  std::vector<std::string> names = read_lines(root / "class_names.txt");
  if (names.size() != stl10_class_count) {
    throw Error((root / "class_names.txt").string() + ": " + std::to_string(names.size()) +
                " class names, where 10 are expected");
  }
  std::vector<int> labels = labelled ? read_labels(root / (name + "_y.bin"), size) : std::vector<int>{};
  return std::make_unique<Stl10Dataset>(root / (name + "_X.bin"), size, std::move(labels), std::move(names));
}

}  // namespace

FoundDataset find_stl10(const DatasetRequest& request) {
  const fs::path root = dataset_root(request);
  const bool labelled = request.split != Split::pretraining;
  const std::string name = !labelled ? "unlabeled" : request.split == Split::test ? "test" : "train";
  const fs::path images = root / (name + "_X.bin");
  const std::int64_t available = count_records(images, stl10_image_bytes);
  if (labelled && count_records(root / (name + "_y.bin"), 1) != available) {
    throw Error(images.string() + ": holds " + std::to_string(available) + " images, and " + name +
                "_y.bin another number of labels; unpack the STL-10 archive again");
  }
  const std::int64_t size = request.max_images == 0 ? available : std::min(available, request.max_images);
  return {.size = size, .classes = static_cast<std::int64_t>(stl10_class_count), .separate_labels = true, .open = [=] {
            return open_stl10(root, name, size, labelled);
          }};
}

}  // namespace relic
