// Images that cannot be read, in a run that goes on without them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "relic/data/dataset.h"

namespace relic {

/// Takes what is thrown for one image, whatever thread it comes from. Each is told once and listed in a file, one a
/// line (none where `list` is empty): what is in that file already (of the run that goes on) is known. That the file
/// cannot be written is told with the image. Throws Error, naming the file, for the first over `most`.
class BadImages {
 public:
  BadImages(std::filesystem::path list, std::int64_t most, std::function<void(const std::string&)> tell);

  void add(const BadImage& image);
  [[nodiscard]] std::int64_t count() const;

 private:
  std::filesystem::path list_;
  std::int64_t most_;
  std::function<void(const std::string&)> tell_;
  mutable std::mutex mutex_;
  std::set<std::string> lines_;
};

}  // namespace relic
