#include "relic/formats/npy.h"

#include <bit>
#include <string>

#include "relic/core/error.h"
#include "relic/core/file.h"

namespace relic {
namespace {

static_assert(std::endian::native == std::endian::little);

std::string type_text(const std::filesystem::path& path, const torch::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case torch::kFloat:
      return "<f4";
    case torch::kDouble:
      return "<f8";
    case torch::kLong:
      return "<i8";
    case torch::kByte:
      return "|u1";
    default:
      throw Error(path.string() + ": a .npy file is not written of a tensor of type " + tensor.toString());
  }
}

std::string header(const std::string& type, torch::IntArrayRef shape) {
  std::string sizes;
  for (const std::int64_t size : shape) sizes += std::to_string(size) + ", ";
  if (shape.size() > 1) sizes.resize(sizes.size() - 2);
  if (shape.size() == 1) sizes.pop_back();  // "(3,)" is a tuple of one
  std::string text = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  constexpr std::size_t kBefore = 10;     // magic, version, length
  constexpr std::size_t kAlignment = 64;  // of the data
  text.resize((kBefore + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment - kBefore, ' ');
  text.back() = '\n';
  return text;
}

}  // namespace

void write_npy(const std::filesystem::path& path, const torch::Tensor& tensor) {
  const torch::Tensor data = tensor.detach().cpu().contiguous();
  const std::string text = header(type_text(path, data), data.sizes());
  AtomicFile file(path);
  file.write(std::string("\x93NUMPY\x01\x00", 8));
  file.write(std::string{static_cast<char>(text.size() & 0xFFU), static_cast<char>(text.size() >> 8U)});
  file.write(text);
  file.write(data.data_ptr(), data.nbytes());
  file.commit();
}

}  // namespace relic
