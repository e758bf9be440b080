#include "data/download/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>

#include "core/open_file.h"
#include "core/printable.h"
#include "relic/core/text.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};

std::string reason_of(archive* which) {
  const char* text = archive_error_string(which);
  return text == nullptr ? "unknown reason" : printable(text);
}

/// "./a//b" is "a/b". Throws BadArchive for a name that leads out of where it is unpacked.
fs::path inner_path(const fs::path& archive, const char* name) {
  const auto refuse = [&](const std::string& why) {
    throw BadArchive(archive.string() + ": " + why + "; nothing of this archive is used");
  };
  if (name == nullptr || *name == '\0') refuse("holds an entry without a (readable) name");
  const fs::path path(name);
  if (path.is_absolute()) refuse("holds the absolute name '" + printable(name) + "'");
  fs::path clean;
  for (const fs::path& part : path) {
    if (part == "..") refuse("holds the name '" + printable(name) + "', which leads out of it");
    if (!part.empty() && part != ".") clean /= part;
  }
  return clean;
}

bool is_in(const fs::path& path, const std::string& folder) { return !path.empty() && *path.begin() == folder; }

const char* kind_of(archive_entry* entry) {
  switch (archive_entry_filetype(entry)) {
    case AE_IFLNK:
      return "a symbolic link";
    case AE_IFCHR:
    case AE_IFBLK:
      return "a device";
    case AE_IFIFO:
      return "a pipe";
    case AE_IFSOCK:
      return "a socket";
    default:
      return "of an unknown kind";
  }
}

class Unpacking {
 public:
  Unpacking(const fs::path& archive, const std::string& folder, const fs::path& into,
            const std::function<void(std::uint64_t done)>& tick);
  void run();

 private:
  bool next();
  /// Names, for the disk, where the entry goes; false where it is not of the folder. Throws BadArchive.
  bool place();
  void write();
  /// Gives how much it was.
  std::uint64_t copy_data();
  [[noreturn]] void fail_to_read();
  [[noreturn]] void fail_to_write();
  std::uint64_t bytes_to_come();

  const fs::path& archive_;
  const std::string& folder_;
  fs::path into_;
  const std::function<void(std::uint64_t done)>& tick_;
  Descriptor file_;
  std::unique_ptr<archive, FreeReader> reader_;
  std::unique_ptr<archive, FreeWriter> writer_;
  archive_entry* entry_ = nullptr;
  std::string name_;
  std::uint64_t written_ = 0;  ///< of entries that are done
};

Unpacking::Unpacking(const fs::path& archive, const std::string& folder, const fs::path& into,
                     const std::function<void(std::uint64_t done)>& tick)
    : archive_(archive),
      folder_(folder),
      into_(fs::canonical(into)),  // libarchive follows no link on the way to a file, and the way begins at the root
      tick_(tick),
      file_(open_or_fail("read", archive, O_RDONLY)),
      reader_(archive_read_new()),
      writer_(archive_write_disk_new()) {
  if (!reader_ || !writer_) throw Error("libarchive does not start: out of memory");
  // Not all kinds there are: for some libarchive calls programs.
  archive_read_support_format_tar(reader_.get());
  archive_read_support_format_zip(reader_.get());
  archive_read_support_filter_gzip(reader_.get());
  archive_read_support_filter_bzip2(reader_.get());
  archive_read_support_filter_xz(reader_.get());
  archive_read_support_filter_zstd(reader_.get());
  // Names are made absolute here after they were looked at, so the flag against absolute ones is not among these.
  archive_write_disk_set_options(writer_.get(), ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS);
}

void Unpacking::run() {
  constexpr std::size_t block = std::size_t{1} << 18U;
  if (archive_read_open_fd(reader_.get(), file_.get(), block) != ARCHIVE_OK) fail_to_read();
  while (next()) {
    if (place()) write();
  }
  if (archive_write_close(writer_.get()) != ARCHIVE_OK) fail_to_write();
  std::error_code ignored;
  if (!fs::is_directory(into_ / folder_, ignored)) {
    throw BadArchive(archive_.string() + ": holds no folder " + folder_ +
                     (name_.empty() ? "" : " (its last name is '" + printable(name_) + "')") +
                     "; it is not the archive of this data set");
  }
}

bool Unpacking::next() {
  const int result = archive_read_next_header(reader_.get(), &entry_);
  if (result == ARCHIVE_EOF) return false;
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
    fail_to_read();
  }
  tick_(static_cast<std::uint64_t>(archive_filter_bytes(reader_.get(), -1)));
  return true;
}

void Unpacking::fail_to_read() {
  throw BadArchive(archive_.string() + ": no archive (tar or zip), or a damaged one: " + reason_of(reader_.get()));
}

bool Unpacking::place() {
  const char* raw = archive_entry_pathname(entry_);
  if (raw == nullptr) raw = archive_entry_pathname_utf8(entry_);
  const fs::path path = inner_path(archive_, raw);
  name_ = raw;
  const char* link = archive_entry_hardlink(entry_);
  fs::path linked;
  if (link != nullptr) {
    linked = inner_path(archive_, link);
    if (!is_in(linked, folder_)) {
      throw BadArchive(archive_.string() + ": '" + printable(name_) + "' is a link to '" + printable(link) +
                       "', outside of the folder " + folder_ + "; nothing of this archive is used");
    }
  } else if (const auto type = archive_entry_filetype(entry_); type != AE_IFREG && type != AE_IFDIR) {
    throw BadArchive(archive_.string() + ": '" + printable(name_) + "' is " + kind_of(entry_) +
                     ", where only files and folders are expected; nothing of this archive is used");
  }
  if (!is_in(path, folder_)) return false;
  const fs::path target = into_ / path;
  const fs::path link_target = into_ / linked;  // before the entry's own strings change
  archive_entry_copy_pathname(entry_, target.c_str());
  if (link != nullptr) archive_entry_copy_hardlink(entry_, link_target.c_str());
  constexpr auto file_mode = 0666;  // less the umask
  constexpr auto folder_mode = 0777;
  archive_entry_set_perm(entry_, archive_entry_filetype(entry_) == AE_IFDIR ? folder_mode : file_mode);
  return true;
}

void Unpacking::write() {
  const int result = archive_write_header(writer_.get(), entry_);
  if (result != ARCHIVE_OK) fail_to_write();
  const std::uint64_t bytes = copy_data();
  if (archive_write_finish_entry(writer_.get()) != ARCHIVE_OK) fail_to_write();
  written_ += bytes;
}

std::uint64_t Unpacking::copy_data() {
  std::uint64_t bytes = 0;
  for (;;) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(reader_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) return bytes;
    if (result != ARCHIVE_OK) {
      throw BadArchive(archive_.string() + ": damaged in '" + printable(name_) + "': " + reason_of(reader_.get()));
    }
    tick_(static_cast<std::uint64_t>(archive_filter_bytes(reader_.get(), -1)));
    if (archive_write_data_block(writer_.get(), data, size, offset) < ARCHIVE_OK) fail_to_write();
    bytes += size;
  }
}

void Unpacking::fail_to_write() {
  const int reason = archive_errno(writer_.get());
  std::string line =
      "cannot unpack '" + printable(name_) + "' into " + into_.string() + ": " + reason_of(writer_.get());
  if (reason == ENOSPC || reason == EDQUOT) {
    line += ": " + std::generic_category().message(reason) + "; the folder " + folder_ + " needs " +
            bytes_text(static_cast<double>(bytes_to_come())) +
            " there; free some space or choose another --dataset_path";
  }
  throw Error(line);
}

/// What the files take together. Reads the rest of the archive for it.
std::uint64_t Unpacking::bytes_to_come() {
  std::uint64_t bytes = written_;
  do {
    if (archive_entry_size_is_set(entry_) != 0) bytes += static_cast<std::uint64_t>(archive_entry_size(entry_));
    tick_(static_cast<std::uint64_t>(archive_filter_bytes(reader_.get(), -1)));
  } while (archive_read_next_header(reader_.get(), &entry_) >= ARCHIVE_WARN);
  return bytes;
}

}  // namespace

void unpack_folder(const fs::path& archive, const std::string& folder, const fs::path& into,
                   const std::function<void(std::uint64_t done)>& tick) {
  Unpacking(archive, folder, into, tick).run();
}

}  // namespace relic
