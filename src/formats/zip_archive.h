// The records of a .pth file: a zip archive of uncompressed entries, every byte of which is checked against its CRC.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unordered_map>

namespace relic {

/// LibTorch's own reader is built without the CRC check and gives damaged weights as if nothing had happened; hence
/// this one. Reads what PyTorch writes: entries stored without compression, zip64 where needed.
class ZipArchive {
 public:
  /// Reads the directory. Throws Error with the path where the file cannot be read, is no zip, or is cut or damaged.
  explicit ZipArchive(std::filesystem::path path);

  /// Folder of the first entry, "archive/" in most files, or "" where there is none.
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] bool contains(const std::string& name) const { return entries_.contains(name); }
  /// Bytes in a record. Throws Error where there is no such record.
  [[nodiscard]] std::uint64_t size(const std::string& name) const { return plain_entry(name).size; }
  /// Copies all of a record to `out`. Throws Error where it cannot be read or its CRC does not match.
  void read(const std::string& name, void* out);
  std::string read(const std::string& name);

 private:
  struct Entry {
    std::uint64_t header_offset = 0;
    std::uint64_t size = 0;
    std::uint32_t crc = 0;
    bool plain = false;  // neither compressed nor encrypted
  };
  struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t entries = 0;
  };

  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail_without_directory();
  [[nodiscard]] const Entry& plain_entry(const std::string& name) const;
  std::string read_bytes(std::uint64_t offset, std::uint64_t size);
  void read_bytes(std::uint64_t offset, void* out, std::uint64_t size);
  Directory find_directory();
  Directory find_zip64_directory(std::uint64_t end_record_offset);
  void read_directory(const Directory& directory);
  static Entry parse_entry(std::string_view fields, std::string_view extra);

  std::filesystem::path path_;
  std::ifstream stream_;
  std::uint64_t file_size_ = 0;
  std::string root_;
  bool has_crcs_ = false;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace relic
