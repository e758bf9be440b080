#include "formats/zip_archive.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/printable.h"
#include "formats/archive_error.h"
#include "formats/crc32.h"
#include "relic/core/error.h"

namespace relic {
namespace {

// Field offsets are those of PKWARE's APPNOTE 6.3, section 4.3.
constexpr std::string_view kEndRecord("PK\x05\x06", 4);
constexpr std::string_view kZip64Locator("PK\x06\x07", 4);
constexpr std::string_view kZip64EndRecord("PK\x06\x06", 4);
constexpr std::string_view kDirectoryEntry("PK\x01\x02", 4);
constexpr std::string_view kLocalHeader("PK\x03\x04", 4);
constexpr std::uint64_t kEndRecordSize = 22;
constexpr std::uint64_t kZip64LocatorSize = 20;
constexpr std::uint64_t kZip64EndRecordSize = 56;
constexpr std::uint64_t kDirectoryEntrySize = 46;
constexpr std::uint64_t kLocalHeaderSize = 30;
constexpr std::uint64_t kLongestComment = 65535;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint32_t kSee64 = 0xFFFFFFFFU;

// torch.save before PyTorch 1.6 begins with a pickle of this number.
constexpr std::string_view kLegacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14);

template <typename T>
T field(std::string_view bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// Replaces the values that did not fit 32 bits by those in the entry's zip64 field; false where they are missing.
bool widen(std::string_view extra, std::uint64_t& size, std::uint64_t& stored_size, std::uint64_t& header_offset) {
  while (extra.size() >= 4 && field<std::uint16_t>(extra, 0) != kZip64Extra) {
    extra.remove_prefix(std::min<std::size_t>(extra.size(), 4U + field<std::uint16_t>(extra, 2)));
  }
  std::string_view wide = extra.size() < 4 ? extra : extra.substr(4, field<std::uint16_t>(extra, 2));
  bool complete = true;
  for (std::uint64_t* value : {&size, &stored_size, &header_offset}) {
    if (*value != kSee64) {
      continue;
    }
    if (wide.size() < 8) {
      complete = false;
      break;
    }
    *value = field<std::uint64_t>(wide, 0);
    wide.remove_prefix(8);
  }
  return complete;
}

}  // namespace

ZipArchive::ZipArchive(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (!std::filesystem::exists(status)) {
    throw Error(path_.string() + ": " + (error ? error.message() : "no such file"));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw Error(path_.string() + ": not a file but a folder or device");
  }
  errno = 0;
  stream_.open(path_, std::ios::binary);
  file_size_ = std::filesystem::file_size(path_, error);
  if (!stream_ || error) {
    throw Error(path_.string() + ": cannot be opened (" + (errno != 0 ? std::strerror(errno) : "unknown reason") + ")");
  }
  read_directory(find_directory());
}

void ZipArchive::fail(const std::string& what) const { throw ArchiveError(path_.string() + ": " + what); }

void ZipArchive::fail_without_directory() {
  const std::string start = read_bytes(0, std::min<std::uint64_t>(file_size_, kLegacyMagic.size()));
  if (start.empty()) {
    fail("the file is empty");
  }
  if (start == kLegacyMagic) {
    fail(
        "written in the format before PyTorch 1.6; load it in Python and save it again: torch.save(torch.load(path), "
        "path)");
  }
  if (start.starts_with(kLocalHeader)) {
    fail("cut short: the zip directory at its end is missing; copy or write the file again");
  }
  fail("not a .pth file (no zip archive)");
}

std::string ZipArchive::read_bytes(std::uint64_t offset, std::uint64_t size) {
  std::string bytes;
  bytes.resize(size);
  read_bytes(offset, bytes.data(), size);
  return bytes;
}

void ZipArchive::read_bytes(std::uint64_t offset, void* out, std::uint64_t size) {
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(offset));
  stream_.read(static_cast<char*>(out), static_cast<std::streamsize>(size));
  if (!stream_) {
    throw ReadFailure(path_.string() + ": cannot be read at byte " + std::to_string(offset));
  }
}

ZipArchive::Directory ZipArchive::find_directory() {
  const std::uint64_t tail_size = std::min(file_size_, kEndRecordSize + kLongestComment);
  const std::string tail = read_bytes(file_size_ - tail_size, tail_size);
  std::size_t at = tail.rfind(kEndRecord);
  while (at != std::string::npos && (tail.size() - at < kEndRecordSize ||
                                     field<std::uint16_t>(tail, at + 20) != tail.size() - at - kEndRecordSize)) {
    at = at == 0 ? std::string::npos : tail.rfind(kEndRecord, at - 1);
  }
  if (at == std::string::npos) {
    fail_without_directory();
  }
  Directory directory{.offset = field<std::uint32_t>(tail, at + 16),
                      .size = field<std::uint32_t>(tail, at + 12),
                      .entries = field<std::uint16_t>(tail, at + 10)};
  const std::uint64_t end_record_offset = file_size_ - tail_size + at;
  if (directory.offset == kSee64 || directory.size == kSee64 || directory.entries == 0xFFFFU) {
    directory = find_zip64_directory(end_record_offset);
  }
  if (directory.offset > end_record_offset || directory.size > end_record_offset - directory.offset) {
    fail("damaged: the zip directory lies outside the file");
  }
  return directory;
}

ZipArchive::Directory ZipArchive::find_zip64_directory(std::uint64_t end_record_offset) {
  if (end_record_offset < kZip64LocatorSize) {
    fail("damaged: the zip64 directory is missing");
  }
  const std::string locator = read_bytes(end_record_offset - kZip64LocatorSize, kZip64LocatorSize);
  const auto offset = field<std::uint64_t>(locator, 8);
  if (!locator.starts_with(kZip64Locator) || end_record_offset < kZip64EndRecordSize ||
      offset > end_record_offset - kZip64EndRecordSize) {
    fail("damaged: the zip64 directory is missing");
  }
  const std::string record = read_bytes(offset, kZip64EndRecordSize);
  if (!record.starts_with(kZip64EndRecord)) {
    fail("damaged: the zip64 directory is missing");
  }
  return {.offset = field<std::uint64_t>(record, 48),
          .size = field<std::uint64_t>(record, 40),
          .entries = field<std::uint64_t>(record, 32)};
}

void ZipArchive::read_directory(const Directory& directory) {
  const std::string bytes = read_bytes(directory.offset, directory.size);
  std::string_view rest = bytes;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (rest.size() < kDirectoryEntrySize || !rest.starts_with(kDirectoryEntry)) {
      fail("damaged: entry " + std::to_string(i) + " of the zip directory is missing");
    }
    const std::size_t name_size = field<std::uint16_t>(rest, 28);
    const std::size_t extra_size = field<std::uint16_t>(rest, 30);
    const std::size_t whole = kDirectoryEntrySize + name_size + extra_size + field<std::uint16_t>(rest, 32);
    if (rest.size() < whole) {
      fail("damaged: entry " + std::to_string(i) + " of the zip directory is cut short");
    }
    const std::string name(rest.substr(kDirectoryEntrySize, name_size));
    const Entry found = parse_entry(rest, rest.substr(kDirectoryEntrySize + name_size, extra_size));
    // Entries that overlap could make a small file ask for any amount of memory.
    total += found.plain ? std::min(found.size, file_size_ + 1) : 0;
    if (total > file_size_ || found.header_offset > directory.offset) {
      fail("damaged: " + printable(name) + " lies outside the file");
    }
    if (i == 0 && name.find('/') != std::string::npos) {
      root_ = name.substr(0, name.find('/') + 1);
    }
    has_crcs_ = has_crcs_ || found.crc != 0;
    if (!entries_.emplace(name, found).second) {
      fail("damaged: it holds " + printable(name) + " twice");
    }
    rest.remove_prefix(whole);
  }
}

ZipArchive::Entry ZipArchive::parse_entry(std::string_view fields, std::string_view extra) {
  Entry found{.header_offset = field<std::uint32_t>(fields, 42),
              .size = field<std::uint32_t>(fields, 24),
              .crc = field<std::uint32_t>(fields, 16)};
  std::uint64_t stored_size = field<std::uint32_t>(fields, 20);
  const bool complete = widen(extra, found.size, stored_size, found.header_offset);
  const bool encrypted = (field<std::uint16_t>(fields, 8) & 1U) != 0;
  const bool compressed = field<std::uint16_t>(fields, 10) != 0 || stored_size != found.size;
  found.plain = complete && !encrypted && !compressed;
  return found;
}

const ZipArchive::Entry& ZipArchive::plain_entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    fail("damaged: " + printable(name) + " is missing");
  }
  if (!found->second.plain) {
    fail(printable(name) + " is compressed, encrypted or damaged; PyTorch stores its records plainly");
  }
  return found->second;
}

void ZipArchive::read(const std::string& name, void* out) {
  const Entry& record = plain_entry(name);
  if (record.header_offset > file_size_ || file_size_ - record.header_offset < kLocalHeaderSize) {
    fail("damaged: " + printable(name) + " lies outside the file");
  }
  const std::string header = read_bytes(record.header_offset, kLocalHeaderSize);
  const std::uint64_t begin =
      record.header_offset + kLocalHeaderSize + field<std::uint16_t>(header, 26) + field<std::uint16_t>(header, 28);
  if (!header.starts_with(kLocalHeader) || begin > file_size_ || file_size_ - begin < record.size) {
    fail("damaged: " + printable(name) + " lies outside the file");
  }
  read_bytes(begin, out, record.size);
  // torch.serialization.set_crc32_options(False) leaves 0 in every entry.
  if (has_crcs_ && crc32(out, record.size) != record.crc) {
    fail("damaged: the checksum of " + printable(name) + " (" + std::to_string(record.size) + " bytes at byte " +
         std::to_string(begin) + ") does not match; copy or write the file again");
  }
}

std::string ZipArchive::read(const std::string& name) {
  std::string bytes;
  bytes.resize(size(name));
  read(name, bytes.data());
  return bytes;
}

}  // namespace relic
