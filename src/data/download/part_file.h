// What has come of a file so far, and what it is the beginning of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "relic/core/file.h"

namespace relic {

/// Where a part came from. The rest is had from there only if the server still has the same file.
struct PartOrigin {
  std::string url;
  std::string validator{};  ///< for If-Range: a strong ETag or a Last-Modified; empty where the server sends neither
  std::uint64_t total = 0;  ///< size of the whole; 0: not said
};

/// A file that grows, with its origin in a small file beside it. Members throw Error with path and reason.
class PartFile {
 public:
  explicit PartFile(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const;
  /// None where there is no part, or nobody knows of what.
  [[nodiscard]] std::optional<PartOrigin> origin() const;
  /// Begins anew.
  void restart(const PartOrigin& origin);
  void append(const char* data, std::size_t size);
  void remove();

 private:
  std::filesystem::path path_;
  std::filesystem::path origin_path_;
  std::optional<AppendFile> file_;  ///< while it grows
};

}  // namespace relic
