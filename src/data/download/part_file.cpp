#include "data/download/part_file.h"

#include <charconv>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace relic {

namespace fs = std::filesystem;

PartFile::PartFile(fs::path path) : path_(std::move(path)), origin_path_(path_.string() + ".origin") {}

std::uint64_t PartFile::size() const {
  std::error_code absent;
  const std::uintmax_t bytes = fs::file_size(path_, absent);
  return absent ? 0 : bytes;
}

std::optional<PartOrigin> PartFile::origin() const {
  std::error_code ignored;
  if (size() == 0 || !fs::exists(origin_path_, ignored)) return std::nullopt;
  std::istringstream lines(read_file(origin_path_));
  PartOrigin origin;
  std::string total;
  if (!std::getline(lines, origin.url) || !std::getline(lines, origin.validator) || !std::getline(lines, total)) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(total.data(), total.data() + total.size(), origin.total);
  return error == std::errc() && end == total.data() + total.size() ? std::optional(origin) : std::nullopt;
}

void PartFile::restart(const PartOrigin& origin) {
  // In this order no beginning of one file is ever beside the origin of another.
  file_.reset();
  cut_back(path_, 0);
  write_file(origin_path_, origin.url + '\n' + origin.validator + '\n' + std::to_string(origin.total) + '\n');
}

void PartFile::append(const char* data, std::size_t size) {
  if (!file_) file_.emplace(path_);
  file_->append(std::string_view(data, size));
}

void PartFile::remove() {
  file_.reset();
  std::error_code ignored;
  fs::remove(path_, ignored);
  fs::remove(origin_path_, ignored);
}

}  // namespace relic
