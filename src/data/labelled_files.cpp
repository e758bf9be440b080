#include "data/labelled_files.h"

#include <algorithm>
#include <map>
#include <opencv2/core/utility.hpp>
#include <optional>
#include <utility>

#include "data/decode/decode.h"
#include "relic/core/error.h"
#include "relic/core/text.h"

namespace relic {
namespace {

/// The first folder of a path; none for a file that lies in no folder.
std::optional<std::string_view> first_folder(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return path.substr(0, slash);
}

class FileDataset : public Dataset {
 public:
  explicit FileDataset(std::shared_ptr<const LabelledFiles> images) : images_(std::move(images)) {
    cv::setNumThreads(0);  // several threads decode at once already
  }

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(images_->files.size()); }
  ImageRef image(std::int64_t index, Image& scratch) const override {
    try {
      decode_image_file(file(index), scratch);
    } catch (const Error& error) {
      throw BadImage(one_line(error.what()));
    }
    return scratch.ref();
  }
  [[nodiscard]] int label(std::int64_t index) const override {
    return images_->labels.empty() ? -1 : images_->labels[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return images_->classes; }
  [[nodiscard]] std::string name(std::int64_t index) const override {
    return std::string(images_->files[static_cast<std::size_t>(index)]);
  }
  [[nodiscard]] std::filesystem::path file(std::int64_t index) const override {
    return images_->root / images_->files[static_cast<std::size_t>(index)];
  }

 private:
  std::shared_ptr<const LabelledFiles> images_;
};

}  // namespace

void label_by_folder(LabelledFiles& images) {
  std::map<std::string, std::int32_t, std::less<>> classes;
  for (std::size_t i = 0; i < images.files.size(); ++i) {
    const auto folder = first_folder(images.files[i]);
    if (!folder) return;
    classes.emplace(*folder, 0);
  }
  if (classes.size() < 2 || 2 * classes.size() > images.files.size()) return;
  std::vector<std::string> names;
  for (const auto& [name, unused] : classes) names.push_back(name);
  label_by_folder(images, names);
}

void label_by_folder(LabelledFiles& images, const std::vector<std::string>& classes) {
  std::map<std::string, std::int32_t, std::less<>> numbers;
  for (const std::string& name : classes) numbers.emplace(name, static_cast<std::int32_t>(numbers.size()));
  images.classes = classes;
  for (std::size_t i = 0; i < images.files.size(); ++i) {
    const auto folder = first_folder(images.files[i]);
    const auto found = folder ? numbers.find(*folder) : numbers.end();
    if (found == numbers.end()) {
      throw Error((images.root / images.files[i]).string() + ": lies in no folder of a class of the training images (" +
                  classes.front() + ", …); move it into one");
    }
    images.labels.push_back(found->second);
  }
}

void add_listed(LabelledFiles& images, const std::string& file, const std::string& class_name,
                const std::filesystem::path& list, const std::string& entry, const std::string& classes_file) {
  const auto found = std::ranges::find(images.classes, class_name);
  if (found == images.classes.end()) {
    throw Error(list.string() + ": '" + entry + "' has the class '" + class_name + "', which " + classes_file +
                " does not name");
  }
  images.add(file, static_cast<std::int32_t>(found - images.classes.begin()));
}

LabelledFiles select(const LabelledFiles& images, const std::function<bool(std::size_t)>& keep) {
  LabelledFiles kept{.root = images.root, .classes = images.classes};
  for (std::size_t i = 0; i < images.files.size(); ++i) {
    if (!keep(i)) continue;
    kept.files.add(images.files[i]);
    if (!images.labels.empty()) kept.labels.push_back(images.labels[i]);
  }
  return kept;
}

LabelledFiles evenly_spread(LabelledFiles images, std::int64_t count) {
  const std::size_t all = images.files.size();
  const auto wanted = static_cast<std::size_t>(count);
  if (wanted == 0 || wanted >= all) return images;
  // Those at which i·wanted/all steps up.
  return select(images, [=](std::size_t i) { return i == 0 || i * wanted / all != (i - 1) * wanted / all; });
}

FoundDataset found_files(LabelledFiles images) {
  const auto size = static_cast<std::int64_t>(images.files.size());
  const auto classes = images.labels.empty() ? 0 : static_cast<std::int64_t>(images.classes.size());
  const auto shared = std::make_shared<const LabelledFiles>(std::move(images));
  return {.size = size, .classes = classes, .open = [shared] { return std::make_unique<FileDataset>(shared); }};
}

}  // namespace relic
