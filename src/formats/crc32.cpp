#include "formats/crc32.h"

#include <array>
#include <bit>
#include <cstring>

namespace relic {
namespace {

static_assert(std::endian::native == std::endian::little, "crc32 takes eight bytes at a time as a little-endian word");

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// tables[k][b]: the checksum of byte b followed by k zero bytes, so that eight bytes are eight independent look-ups
/// (Kounavis and Berry 2005, "slicing by 8"): checking a large file costs less than reading it.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1U) ^ ((value & 1U) != 0 ? 0xEDB88320U : 0U);
    }
    tables[0][byte] = value;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t previous = tables[k - 1][byte];
      tables[k][byte] = (previous >> 8U) ^ tables[0][previous & 0xFFU];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32(const void* data, std::size_t size, std::uint32_t seed) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::uint32_t value = ~seed;
  for (; size >= 8; size -= 8, bytes += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, 8);
    word ^= value;
    value = 0;
    for (unsigned k = 0; k < 8; ++k) {
      value ^= kTables[7 - k][(word >> (8 * k)) & 0xFFU];
    }
  }
  for (; size > 0; --size, ++bytes) {
    value = (value >> 8U) ^ kTables[0][(value ^ *bytes) & 0xFFU];
  }
  return ~value;
}

}  // namespace relic
