// Checksums as data sets publish them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace relic {

/// MD5 of a file's contents in 32 lower-case hexadecimal digits. Calls `tick` with the bytes read so far every now and
/// then; it may throw. Throws Error with path and reason.
std::string md5_of_file(const std::filesystem::path& path, const std::function<void(std::uint64_t done)>& tick);

}  // namespace relic
