// .pth files made by hand: pickles byte by byte, in archives whose checksums are right.
#pragma once

#include <caffe2/serialize/inline_container.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relic::testing {

using Records = std::vector<std::pair<std::string, std::string>>;

/// A zip archive as PyTorch writes it.
inline std::string make_archive(const Records& records) {
  std::string bytes;
  caffe2::serialize::PyTorchStreamWriter writer([&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  for (const auto& [name, content] : records) {
    writer.writeRecord(name, content.data(), content.size());
  }
  writer.writeEndOfFile();
  return bytes;
}

/// Pieces of protocol 2 pickles.
namespace pickle {

inline std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) {
    text.push_back(static_cast<char>(value));
  }
  return text;
}
inline std::string text(std::string_view value) {
  return "X" + bytes({static_cast<int>(value.size()), 0, 0, 0}) + std::string(value);
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string integer(std::int64_t value) {
  std::string text = bytes({0x8a, 8});
  for (unsigned byte = 0; byte < 8; ++byte) {
    text.push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> (8 * byte)) & 0xFFU));
  }
  return text;
}
inline std::string tuple(std::initializer_list<std::string> items) {
  std::string text = "(";
  for (const std::string& item : items) {
    text += item;
  }
  return text + "t";
}
inline std::string storage(const std::string& type, const std::string& key, std::int64_t count) {
  return tuple({text("storage"), global("torch", type), text(key), text("cpu"), integer(count)}) + "Q";
}
/// A tensor over record "0" of `count` float32 elements.
inline std::string tensor(std::int64_t count, std::int64_t offset, std::initializer_list<std::string> sizes,
                          std::initializer_list<std::string> strides) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage("FloatStorage", "0", count), integer(offset), tuple(sizes), tuple(strides), bytes({0x89}),
                global("collections", "OrderedDict") + ")R"}) +
         "R";
}
inline std::string whole(const std::string& content) { return bytes({0x80, 2}) + content + "."; }

}  // namespace pickle
}  // namespace relic::testing
