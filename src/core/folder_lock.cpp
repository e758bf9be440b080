#include "relic/core/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "core/open_file.h"
#include "relic/core/error.h"

namespace relic {
namespace {

std::string process_and_host() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return "process " + std::to_string(::getpid()) + " on " + host.data();
}

std::string contents(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "another process";
}

/// Whether the path still names the file behind the descriptor: who held it before may have removed it meanwhile.
bool names(const std::filesystem::path& path, int descriptor) {
  struct stat by_path = {};
  struct stat by_descriptor = {};
  return ::stat(path.c_str(), &by_path) == 0 && ::fstat(descriptor, &by_descriptor) == 0 &&
         by_path.st_ino == by_descriptor.st_ino && by_path.st_dev == by_descriptor.st_dev;
}

/// Who asks for the holder has it shared for a moment, which is waited for.
int lock_soon(int descriptor) {
  constexpr int tries = 5;
  for (int i = 0; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++i) {
    if (errno != EINTR && (errno != EWOULDBLOCK || i >= tries)) return errno;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return 0;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder, const char* name)
    : FolderLock(folder, name, [&](const std::string& holder) {
        throw Error(folder.string() + " is in use by " + holder + "; wait for it, or choose another folder");
      }) {}

FolderLock::FolderLock(const std::filesystem::path& folder, const char* name,
                       const std::function<void(const std::string& holder)>& pause)
    : path_(folder / name) {
  for (;;) {
    descriptor_ = open_or_fail("write", path_, O_RDWR | O_CREAT);
    const int reason = lock_soon(descriptor_);
    if (reason == EWOULDBLOCK) {
      const std::string holder = contents(descriptor_);
      ::close(descriptor_);
      pause(holder);
      continue;
    }
    held_ = reason == 0;
    if (!held_ || names(path_, descriptor_)) break;
    ::close(descriptor_);
  }
  const std::string text = process_and_host();
  // Only for people to read: a full disk shall not keep anyone from working.
  [[maybe_unused]] const int cut = ::ftruncate(descriptor_, 0);
  [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, text.data(), text.size(), 0);
}

std::string FolderLock::holder(const std::filesystem::path& folder, const char* name) {
  const int descriptor = ::open((folder / name).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  const bool taken = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  std::string holder = taken ? contents(descriptor) : std::string();
  ::close(descriptor);
  return holder;
}

FolderLock::~FolderLock() {
  ::unlink(path_.c_str());  // while it is still held: whoever opened it meanwhile finds that it has no name any more
  ::close(descriptor_);
}

}  // namespace relic
