// One process at a time in a folder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace relic {

/// Holds a folder's lock file (`name`, which says process and host) from its making to its end. The lock is the
/// kernel's (flock): it ends with the process however that ends, so that a file left over by a killed one locks nobody
/// out. Where the file system knows no locks there is none, and it is not held().
///
/// Without a `pause` throws Error, with process and host of the holder, where another process holds it.
class FolderLock {
 public:
  FolderLock(const std::filesystem::path& folder, const char* name);
  /// Where another process holds it, calls `pause` with process and host of the holder, and tries again when that
  /// returns; it throws to give up.
  FolderLock(const std::filesystem::path& folder, const char* name,
             const std::function<void(const std::string& holder)>& pause);
  ~FolderLock();
  [[nodiscard]] bool held() const { return held_; }
  /// Process and host of who holds it, as the lock file says; empty: nobody does.
  static std::string holder(const std::filesystem::path& folder, const char* name);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool held_ = false;
};

}  // namespace relic
