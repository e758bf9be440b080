#include "fuzz/dataset_files.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "fuzz/harness.h"
#include "support/temporary_folder.h"

namespace relic::testing {
namespace {

constexpr std::size_t absent = 65535;

/// Takes an input from its front; beyond its end there are zeros.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  std::size_t number(int bytes) {
    std::size_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      const std::string_view byte = text(1);
      value |= (byte.empty() ? std::size_t{0} : static_cast<std::uint8_t>(byte[0])) << static_cast<unsigned>(8 * i);
    }
    return value;
  }
  std::string_view text(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace

DatasetRequest make_dataset_files(std::string_view input, const std::filesystem::path& folder,
                                  const std::vector<std::string>& files) {
  constexpr std::array<Split, 3> splits{Split::pretraining, Split::train, Split::test};
  Reader reader(input);
  DatasetRequest request;
  request.split = splits.at(reader.number(1) % splits.size());
  request.max_images = static_cast<std::int64_t>(reader.number(1));
  for (const std::string& file : files) {
    const std::size_t size = reader.left() < 4 ? absent : reader.number(2);
    if (size == absent) {
      std::filesystem::remove(folder / file);
    } else {
      const std::size_t zeros = reader.number(2);
      spit(folder / file, std::string(reader.text(size)) + std::string(zeros, '\0'));
    }
  }
  return request;
}

void look_at_dataset(const DatasetRequest& request) {
  const FoundDataset found = find_dataset(request);
  const std::unique_ptr<Dataset> dataset = found.open();
  require(dataset->size() == found.size, "as many images as were found");
  require(dataset->class_names().size() == static_cast<std::size_t>(found.classes), "a name for each class");
  const ImageSize size = dataset->common_size().value();
  Image scratch;
  for (std::int64_t index = 0; index < dataset->size(); ++index) {
    const ImageRef image = dataset->image(index, scratch);
    require(image.width == size.width && image.height == size.height, "images of the common size");
    const auto* const pixels = static_cast<const volatile std::uint8_t*>(image.pixels);
    for (int i = 0; i < 3 * image.width * image.height; ++i) static_cast<void>(pixels[i]);  // volatile: it is read
    require(dataset->label(index) >= -1 && dataset->label(index) < found.classes, "labels of known classes");
  }
}

}  // namespace relic::testing
