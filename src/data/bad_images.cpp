#include "relic/data/bad_images.h"

#include <utility>

#include "relic/core/file.h"

namespace relic {

BadImages::BadImages(std::filesystem::path list, std::int64_t most, std::function<void(const std::string&)> tell)
    : list_(std::move(list)), most_(most), tell_(std::move(tell)) {
  std::error_code ignored;
  if (std::filesystem::exists(list_, ignored)) {
    for (std::string& line : read_lines(list_)) lines_.insert(std::move(line));
  }
}

void BadImages::add(const BadImage& image) {
  const std::lock_guard lock(mutex_);
  if (!lines_.insert(image.what()).second) return;
  std::string unlisted;
  if (!list_.empty()) {
    try {
      AppendFile(list_).append(std::string(image.what()) + "\n");
    } catch (const Error& error) {
      unlisted = std::string(" (and not listed: ") + error.what() + ")";
    }
  }
  if (static_cast<std::int64_t>(lines_.size()) > most_) {
    throw Error("more images than --max_bad_images " + std::to_string(most_) + " cannot be read, the last one is " +
                image.what() + (list_.empty() ? "" : "; all are listed in " + list_.string()) + unlisted);
  }
  tell_(std::string(image.what()) + "; it is left out" + unlisted);
}

std::int64_t BadImages::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(lines_.size());
}

}  // namespace relic
