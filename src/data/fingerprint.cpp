#include "relic/data/fingerprint.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "relic/core/error.h"
#include "relic/core/file.h"

namespace relic {

namespace {

constexpr std::int64_t kLookedAt = 16;

/// Fowler, Noll and Vo's hash, FNV-1a, of 64 bits.
class Hash {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) {
      add_byte(static_cast<std::uint8_t>(byte));
    }
  }
  void add(std::int64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      add_byte(static_cast<std::uint8_t>(static_cast<std::uint64_t>(number) >> shift));
    }
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001B3ULL; }

  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

void add_image(Hash& hash, const Dataset& dataset, std::int64_t index) {
  try {
    if (const auto file = dataset.file(index); !file.empty()) {
      hash.add(read_file(file));
      return;
    }
    Image scratch;
    const ImageRef image = dataset.image(index, scratch);
    hash.add(image.width);
    hash.add(image.height);
    const auto bytes = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3;
    hash.add({reinterpret_cast<const char*>(image.pixels), bytes});
  } catch (const Error&) {  // the training passes over it, too
    hash.add(-1);
  }
}

}  // namespace

std::uint64_t fingerprint(const Dataset& dataset) {
  Hash hash;
  const auto size = dataset.size();
  hash.add(size);
  for (std::int64_t i = 0; i < size; ++i) {
    const auto name = dataset.name(i);
    hash.add(static_cast<std::int64_t>(name.size()));
    hash.add(name);
    hash.add(dataset.label(i));
  }
  const auto looked_at = std::min(size, kLookedAt);
  for (std::int64_t i = 0; i < looked_at; ++i) {
    add_image(hash, dataset, i * size / looked_at);
  }
  return std::max<std::uint64_t>(hash.value(), 1);
}

}  // namespace relic
