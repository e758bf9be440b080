#include "download/archives.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <random>
#include <stdexcept>

namespace relic::testing {
namespace {

void require(archive* writer, la_ssize_t result) {
  if (result < ARCHIVE_OK) throw std::runtime_error(archive_error_string(writer));
}

la_ssize_t append(archive*, void* text, const void* data, std::size_t size) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

void describe(archive_entry* entry, const Entry& wanted) {
  archive_entry_set_pathname(entry, wanted.name.c_str());
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, static_cast<__LA_MODE_T>(wanted.mode));
  archive_entry_set_size(entry, 0);
  archive_entry_set_mtime(entry, 1'000'000'000, 0);
  switch (wanted.kind) {
    case EntryKind::file:
      archive_entry_set_size(entry, static_cast<la_int64_t>(wanted.contents.size()));
      break;
    case EntryKind::folder:
      archive_entry_set_filetype(entry, AE_IFDIR);
      break;
    case EntryKind::symbolic_link:
      archive_entry_set_filetype(entry, AE_IFLNK);
      archive_entry_set_symlink(entry, wanted.contents.c_str());
      break;
    case EntryKind::hard_link:
      archive_entry_set_hardlink(entry, wanted.contents.c_str());
      break;
    case EntryKind::device:
      archive_entry_set_filetype(entry, AE_IFCHR);
      archive_entry_set_rdevmajor(entry, 1);  // /dev/null
      archive_entry_set_rdevminor(entry, 3);
      break;
    case EntryKind::pipe:
      archive_entry_set_filetype(entry, AE_IFIFO);
      break;
  }
}

}  // namespace

std::string make_archive(const std::vector<Entry>& entries, ArchiveKind kind) {
  std::string bytes;
  const std::unique_ptr<archive, int (*)(archive*)> owner(archive_write_new(), archive_write_free);
  archive* writer = owner.get();
  if (kind == ArchiveKind::zip) {
    require(writer, archive_write_set_format_zip(writer));
  } else {
    require(writer, archive_write_set_format_ustar(writer));
    if (kind == ArchiveKind::tar_gz) {
      require(writer, archive_write_add_filter_gzip(writer));
      require(writer, archive_write_set_filter_option(writer, "gzip", "timestamp", nullptr));  // the same each second
    }
  }
  archive_write_set_bytes_in_last_block(writer, 1);
  require(writer, archive_write_open(writer, &bytes, nullptr, append, nullptr));
  for (const Entry& wanted : entries) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    describe(entry.get(), wanted);
    require(writer, archive_write_header(writer, entry.get()));
    if (wanted.kind == EntryKind::file) {
      require(writer, archive_write_data(writer, wanted.contents.data(), wanted.contents.size()));
    }
  }
  require(writer, archive_write_close(writer));
  return bytes;
}

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 numbers(seed);
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>(numbers() & 0xFFU);
  return bytes;
}

}  // namespace relic::testing
