// Numbers at offsets of bytes that are not trusted: what lies past the end reads as 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relic {

class ByteView {
 public:
  explicit ByteView(std::string_view bytes, bool big_endian = false) : bytes_(bytes), big_endian_(big_endian) {}

  [[nodiscard]] std::uint8_t u8(std::size_t offset) const {
    return offset < bytes_.size() ? static_cast<std::uint8_t>(bytes_[offset]) : std::uint8_t{0};
  }
  [[nodiscard]] std::uint16_t u16(std::size_t offset) const { return static_cast<std::uint16_t>(number(offset, 2)); }
  [[nodiscard]] std::uint32_t u24(std::size_t offset) const { return static_cast<std::uint32_t>(number(offset, 3)); }
  [[nodiscard]] std::uint32_t u32(std::size_t offset) const { return static_cast<std::uint32_t>(number(offset, 4)); }
  [[nodiscard]] std::uint64_t u64(std::size_t offset) const { return number(offset, 8); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  [[nodiscard]] std::uint64_t number(std::size_t offset, std::size_t count) const {
    if (offset > bytes_.size() || bytes_.size() - offset < count) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = value << 8U | u8(offset + (big_endian_ ? i : count - 1 - i));
    }
    return value;
  }

  std::string_view bytes_;
  bool big_endian_;
};

}  // namespace relic
