// A folder out of an archive that nobody vouches for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "relic/core/error.h"

namespace relic {

/// An archive that is damaged, of an unknown kind, without the folder, or with something in it that may not be
/// unpacked.
class BadArchive : public Error {
 public:
  using Error::Error;
};

/// Unpacks all that `archive` (tar or zip, compressed by gzip, bzip2, xz, zstd or not at all) holds in its top folder
/// `folder` into the folder `into`, which is there. Regular files, folders and hard links among them are taken; modes
/// and owners are those of a new file. `tick` is called now and then with the bytes of the archive that were read.
///
/// Throws BadArchive, naming the entry, for an absolute name, one with "..", a symbolic link, a hard link to elsewhere,
/// a device or pipe, anywhere in the archive; Error where it cannot be written, with what is needed on a full disk; and
/// what `tick` throws. What was unpacked by then stays.
void unpack_folder(const std::filesystem::path& archive, const std::string& folder, const std::filesystem::path& into,
                   const std::function<void(std::uint64_t done)>& tick);

}  // namespace relic
