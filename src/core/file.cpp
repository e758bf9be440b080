#include "relic/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/open_file.h"
#include "relic/core/error.h"

namespace relic {
namespace {

constexpr std::string_view temporary_prefix = ".relic-tmp-";

std::string_view advice(std::string_view what, int reason) {
  switch (reason) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space or choose another folder";
    case EFBIG:
      return "; raise the limit on file sizes (ulimit -f)";
    case EACCES:
    case EPERM:
    case EROFS:
      return what == "read" ? "; check the permissions" : "; check the permissions or choose another folder";
    case ENOENT:
      return "; check the path";
    default:
      return "";
  }
}

[[noreturn]] void fail(std::string_view what, const std::filesystem::path& path, int reason) {
  std::string line = "cannot ";
  line += what;
  line += ' ';
  line += path.string();
  line += ": ";
  line += std::generic_category().message(reason);
  line += advice(what, reason);
  throw Error(line);
}

/// A descriptor, or −1 with errno.
int open_retrying(const std::filesystem::path& path, int flags) {
  constexpr mode_t mode = 0666;  // less the umask
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

/// Explains why `path` could not be opened or created.
[[noreturn]] void fail_to_open(std::string_view what, const std::filesystem::path& path, int reason) {
  std::error_code ignored;
  if (reason == ENOENT && !std::filesystem::exists(folder_of(path), ignored)) {
    throw Error("cannot " + std::string(what) + ' ' + path.string() + ": there is no folder " +
                folder_of(path).string() + "; check the path or create it");
  }
  fail(what, path, reason);
}

/// 0, or the reason why not everything was written.
int write_all(int descriptor, const void* data, std::size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, next, size);
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    next += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

/// Makes a rename in `folder` outlast a power cut.
void sync_folder(const std::filesystem::path& folder, const std::filesystem::path& target) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == EACCES) {
      return;  // a folder that may be written and not read
    }
    fail("sync the folder of", target, errno);
  }
  const int reason = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // EINVAL: a file system (some network and FUSE ones) without sync for folders.
  if (reason != 0 && reason != EINVAL) {
    fail("sync the folder of", target, reason);
  }
}

/// What a chain of symbolic links ends at, so that a link stays a link.
std::filesystem::path resolve_link(std::filesystem::path path) {
  std::error_code error;
  if (std::filesystem::is_symlink(path, error)) {
    std::filesystem::path end = std::filesystem::weakly_canonical(path, error);
    return error ? path : end;
  }
  return path;
}

std::uint64_t size_of(int descriptor, const std::filesystem::path& path) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) {
    fail("read the size of", path, errno);
  }
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

int open_or_fail(std::string_view what, const std::filesystem::path& path, int flags) {
  const int descriptor = open_retrying(path, flags);
  if (descriptor < 0) {
    fail_to_open(what, path, errno);
  }
  return descriptor;
}

bool is_temporary_file(const std::filesystem::path& path) {
  return path.filename().string().starts_with(temporary_prefix);
}

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  static std::atomic<unsigned> counter{0};
  const std::filesystem::path folder = folder_of(resolve_link(target_));
  const std::string stem = std::string(temporary_prefix) + std::to_string(::getpid()) + '-';
  // A taken name: another host's process of our number on a shared file system, or one that was killed.
  do {
    temporary_ = folder / (stem + std::to_string(counter++));
    descriptor_ = open_retrying(temporary_, O_WRONLY | O_CREAT | O_EXCL);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    fail_to_open("write", target_, errno);
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  if (descriptor_ >= 0) {
    ::close(std::exchange(descriptor_, -1));
  }
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
    temporary_.clear();
  }
}

void AtomicFile::write(const void* data, std::size_t size) {
  if (const int reason = write_all(descriptor_, data, size); reason != 0) {
    fail("write", target_, reason);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) {
    fail("write", target_, errno);
  }
  // Some network file systems tell of a full disk only here.
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) {
    fail("write", target_, errno);
  }
  const std::filesystem::path target = resolve_link(target_);
  if (::rename(temporary_.c_str(), target.c_str()) != 0) {
    fail("replace", target_, errno);
  }
  temporary_.clear();
  try {
    sync_folder(folder_of(target), target_);
  } catch (const Error& error) {
    throw UnsyncedFile(error.what());
  }
}

AppendFile::AppendFile(std::filesystem::path path)
    : path_(std::move(path)), descriptor_(open_or_fail("write", path_, O_WRONLY | O_CREAT | O_APPEND)) {}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view text) {
  const std::uint64_t before = size();
  if (const int reason = write_all(descriptor_, text.data(), text.size()); reason != 0) {
    // Half a line would spoil the next one; a file that cannot even be cut is reported all the same.
    [[maybe_unused]] const int ignored = ::ftruncate(descriptor_, static_cast<off_t>(before));
    fail("write", path_, reason);
  }
}

void AppendFile::sync() {
  if (::fsync(descriptor_) != 0) {
    fail("sync", path_, errno);
  }
}

std::uint64_t AppendFile::size() const { return size_of(descriptor_, path_); }

std::string read_file(const std::filesystem::path& path, std::uint64_t max_size) {
  const Descriptor file(open_or_fail("read", path, O_RDONLY));
  // One byte more than the size says, so that a file that fits is seen to end; pipes and /proc say 0 and grow below.
  std::uint64_t capacity = std::min(max_size, size_of(file.get(), path) + 1);
  std::string contents;
  std::size_t used = 0;
  while (used < max_size) {
    contents.resize(static_cast<std::size_t>(capacity));
    const ssize_t count = ::read(file.get(), contents.data() + used, contents.size() - used);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      fail("read", path, errno);
    }
    if (count == 0) {
      break;
    }
    used += static_cast<std::size_t>(count);
    if (used == capacity) {
      capacity = std::min(max_size, 2 * capacity);
    }
  }
  contents.resize(used);
  return contents;
}

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    lines.push_back(line.substr(first, line.find_last_not_of(" \t\r") + 1 - first));
  }
  return lines;
}

void write_file(const std::filesystem::path& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

void cut_back(const std::filesystem::path& path, std::uint64_t size) {
  std::error_code error;
  if (const auto now = std::filesystem::file_size(path, error); !error && now > size) {
    truncate_file(path, size);
  }
}

void truncate_file(const std::filesystem::path& path, std::uint64_t size) {
  const Descriptor file(open_or_fail("cut", path, O_WRONLY));
  const std::uint64_t before = size_of(file.get(), path);
  if (before < size) {
    throw Error("cannot cut " + path.string() + " to " + std::to_string(size) + " bytes: it has only " +
                std::to_string(before));
  }
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0 || ::fsync(file.get()) != 0) {
    fail("cut", path, errno);
  }
}

}  // namespace relic
