// Files written whole or not at all, and logs that only grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace relic {

/// A file that appears under its name only when it is complete: written to a temporary file in the same folder, synced,
/// then renamed over the target. Destroying it uncommitted removes the temporary file and leaves the target as it was.
///
///     AtomicFile file("models/encoder.pth");
///     file.write(data, size);
///     file.commit();
///
/// Every member throws Error with path and reason (no space, read-only, …).
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Sync, rename over the target, sync the folder.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// A text file that grows line by line (metrics, logs). Opened for append; created if absent.
class AppendFile {
 public:
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view text);
  [[nodiscard]] std::uint64_t size() const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// Whole contents. Throws Error with path and reason.
std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view contents);  ///< through AtomicFile
/// Cuts a file to its first `size` bytes.
void truncate_file(const std::filesystem::path& path, std::uint64_t size);

}  // namespace relic
