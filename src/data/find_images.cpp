#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "data/decode/decode.h"
#include "data/labelled_files.h"
#include "relic/core/error.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

class Scan {
 public:
  explicit Scan(fs::path root) : root_(std::move(root)) { visit(root_, ""); }

  [[nodiscard]] std::vector<std::string> take_names() {
    std::ranges::sort(names_);
    return std::move(names_);
  }

 private:
  void visit(const fs::path& folder, const std::string& prefix) {
    struct stat identity {};
    if (::stat(folder.c_str(), &identity) != 0 || !visited_.emplace(identity.st_dev, identity.st_ino).second) {
      return;
    }
    std::error_code error;
    std::vector<std::string> below;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.starts_with('.')) continue;
      std::error_code ignored;
      if (has_image_name(name)) {
        names_.push_back(prefix + name);
      } else if (entry->is_directory(ignored)) {
        below.push_back(name);
      }
    }
    if (error) throw Error("cannot read the folder " + folder.string() + ": " + error.message());
    std::ranges::sort(below);  // so that which of several links to a folder is followed does not depend on the disk
    for (const std::string& name : below) visit(folder / name, prefix + name + "/");
  }

  fs::path root_;
  std::vector<std::string> names_;
  std::set<std::pair<dev_t, ino_t>> visited_;
};

}  // namespace

LabelledFiles find_images(const fs::path& root) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) throw Error("there is no folder " + root.string());
  LabelledFiles images{.root = root};
  for (const std::string& name : Scan(root).take_names()) images.files.add(name);
  if (images.files.size() == 0) {
    throw Error("no images in " + root.string() + " or the folders in it (files named .jpg, .png and the like)");
  }
  images.files.shrink_to_fit();
  return images;
}

}  // namespace relic
