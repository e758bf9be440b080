// The checksum of zip archives: CRC-32 with polynomial 0xEDB88320.
#pragma once

#include <cstddef>
#include <cstdint>

namespace relic {

/// CRC-32 of `size` bytes; `seed` is the checksum of what came before them.
std::uint32_t crc32(const void* data, std::size_t size, std::uint32_t seed = 0);

}  // namespace relic
