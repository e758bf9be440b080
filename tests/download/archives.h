// Small archives laid out like those of data sets, sound ones and others.
#pragma once

#include <string>
#include <vector>

namespace relic::testing {

enum class EntryKind { file, folder, symbolic_link, hard_link, device, pipe };

struct Entry {
  std::string name;
  std::string contents{};  ///< of a link: where it points to
  EntryKind kind = EntryKind::file;
  unsigned mode = 0644;
};

enum class ArchiveKind { tar, tar_gz, zip };

std::string make_archive(const std::vector<Entry>& entries, ArchiveKind kind = ArchiveKind::tar_gz);

/// Bytes that do not compress, the same each time.
std::string noise(std::size_t size, unsigned seed);

}  // namespace relic::testing
