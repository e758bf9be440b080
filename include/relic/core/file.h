// Files written whole or not at all, and logs that only grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "relic/core/error.h"

namespace relic {

/// A file lies whole in its place, but the system could not be made to write down its name: a power cut may lose it.
class UnsyncedFile : public Error {
 public:
  using Error::Error;
};

/// A file that appears under its name only when it is complete: written to a temporary file in the same folder, synced,
/// then renamed over the target. Destroying it uncommitted removes the temporary file and leaves the target as it was.
/// Where the target is a symbolic link, the file that it points to is replaced and the link stays.
///
///     AtomicFile file("models/encoder.pth");
///     file.write(data, size);
///     file.commit();
///
/// Every member throws Error with path and reason (no space, read-only, …). A program that wants an Error for a file
/// over its size limit (ulimit -f), too, ignores SIGXFSZ.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Sync, rename over the target, sync the folder; UnsyncedFile where the last fails. Nothing may be written
  /// afterwards.
  void commit();

 private:
  void discard();

  std::filesystem::path target_;
  std::filesystem::path temporary_;  // empty once it is gone
  int descriptor_ = -1;
};

/// Whether a name is one that AtomicFile gives to its temporary files: one that is left over belonged to a process that
/// was killed, or to one that is writing now.
bool is_temporary_file(const std::filesystem::path& path);

/// A text file that grows line by line (metrics, logs). Opened for append; created if absent. Members throw Error with
/// path and reason.
class AppendFile {
 public:
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Appends all of `text`, or (throwing) nothing of it.
  void append(std::string_view text);
  /// Waits until what was appended is on the disk.
  void sync();
  [[nodiscard]] std::uint64_t size() const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// Contents, whole or up to `max_size` bytes. Throws Error with path and reason.
std::string read_file(const std::filesystem::path& path,
                      std::uint64_t max_size = std::numeric_limits<std::uint64_t>::max());
/// Lines of a text file that are not empty, without the blanks around them. Throws as read_file does.
std::vector<std::string> read_lines(const std::filesystem::path& path);
/// Writes through AtomicFile.
void write_file(const std::filesystem::path& path, std::string_view contents);
/// Cuts a file to its first `size` bytes. Throws Error where it has fewer.
void truncate_file(const std::filesystem::path& path, std::uint64_t size);
/// The same, but a file that is shorter or absent is left as it is.
void cut_back(const std::filesystem::path& path, std::uint64_t size);

}  // namespace relic
