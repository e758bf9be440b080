#include "formats/torch_objects.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "core/printable.h"
#include "relic/core/error.h"

namespace relic {
namespace {

constexpr std::array<std::pair<c10::ScalarType, std::string_view>, 10> kStorages{{
    {c10::ScalarType::Float, "FloatStorage"},
    {c10::ScalarType::Double, "DoubleStorage"},
    {c10::ScalarType::Half, "HalfStorage"},
    {c10::ScalarType::BFloat16, "BFloat16Storage"},
    {c10::ScalarType::Long, "LongStorage"},
    {c10::ScalarType::Int, "IntStorage"},
    {c10::ScalarType::Short, "ShortStorage"},
    {c10::ScalarType::Char, "CharStorage"},
    {c10::ScalarType::Byte, "ByteStorage"},
    {c10::ScalarType::Bool, "BoolStorage"},
}};
constexpr std::size_t kMostDimensions = 64;  // most of PyTorch's operations take no more
constexpr std::string_view kTorch = "torch.";
constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

/// Undefined where `global` names no storage.
c10::ScalarType storage_type(std::string_view global) {
  if (global.starts_with(kTorch)) {
    const auto* found = std::ranges::find(kStorages, global.substr(kTorch.size()),
                                          &std::pair<c10::ScalarType, std::string_view>::second);
    if (found != kStorages.end()) {
      return found->first;
    }
  }
  return c10::ScalarType::Undefined;
}

std::int64_t to_size(const PickleValue& value, const char* what) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number < 0) {
    throw Error(std::string("a tensor's ") + what + " is " +
                (number == nullptr ? describe(value) : std::to_string(*number)) + "; damaged");
  }
  return *number;
}

std::vector<std::int64_t> to_sizes(const PickleValue& value, const char* what) {
  PickleNode* const tuple = as_node(value, PickleKind::tuple);
  if (tuple == nullptr) {
    throw Error(std::string("a tensor's ") + what + " is " + describe(value) + "; damaged");
  }
  if (tuple->items().size() > kMostDimensions) {
    throw Error("a tensor of " + std::to_string(tuple->items().size()) + " dimensions; damaged");
  }
  std::vector<std::int64_t> sizes;
  for (const PickleValue& item : tuple->items()) {
    sizes.push_back(to_size(item, what));
  }
  return sizes;
}

/// Elements a storage must have for a tensor that views it; nothing where a number in between would not fit 64 bits.
std::optional<std::int64_t> needed_elements(std::int64_t offset, const std::vector<std::int64_t>& sizes,
                                            const std::vector<std::int64_t>& strides) {
  std::int64_t count = 1;
  std::int64_t end = offset;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::int64_t span = 0;
    if (__builtin_mul_overflow(count, sizes[i], &count) ||
        __builtin_mul_overflow(std::max<std::int64_t>(sizes[i], 1) - 1, strides[i], &span) ||
        __builtin_add_overflow(end, span, &end)) {
      return std::nullopt;
    }
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 16;  // bytes of the tensor must fit too
  if (count > kMost || end > kMost) {
    return std::nullopt;
  }
  return count == 0 ? 0 : end + 1;
}

at::Tensor rebuild_tensor(PickleItems& arguments) {
  if (arguments.size() < 6 || arguments.size() > 7) {
    throw Error("a tensor of " + std::to_string(arguments.size()) + " arguments; damaged");
  }
  if (arguments.size() == 7 && !std::holds_alternative<std::monostate>(arguments[6])) {
    PickleNode* const metadata = as_node(arguments[6], PickleKind::dict);
    if (metadata == nullptr || !metadata->items().empty()) {
      throw Error("a tensor with metadata (a lazy conjugate or negative); save tensor.clone()");
    }
  }
  const PickleNode* const storage = as_node(arguments[0], PickleKind::storage);
  if (storage == nullptr) {
    throw Error("a tensor over " + describe(arguments[0]) + "; damaged");
  }
  const std::int64_t offset = to_size(arguments[1], "offset");
  const std::vector<std::int64_t> sizes = to_sizes(arguments[2], "size");
  const std::vector<std::int64_t> strides = to_sizes(arguments[3], "stride");
  if (sizes.size() != strides.size()) {
    throw Error("a tensor of " + std::to_string(sizes.size()) + " sizes and " + std::to_string(strides.size()) +
                " strides; damaged");
  }
  const PickleStorage& data = storage->storage();
  const std::int64_t available = static_cast<std::int64_t>(data.bytes.nbytes() / c10::elementSize(data.type));
  const std::optional<std::int64_t> needed = needed_elements(offset, sizes, strides);
  if (!needed) {
    throw Error("a tensor's size overflows; damaged");
  }
  if (*needed > available) {
    throw Error("a tensor reaches element " + std::to_string(*needed) + " of a storage of " +
                std::to_string(available) + "; damaged");
  }
  at::Tensor tensor = at::empty({0}, at::TensorOptions().dtype(data.type));
  return tensor.set_(data.bytes, *needed == 0 ? 0 : offset, sizes, strides);
}

}  // namespace

std::string storage_name(c10::ScalarType type) {
  const auto* found = std::ranges::find(kStorages, type, &std::pair<c10::ScalarType, std::string_view>::first);
  return found == kStorages.end() ? std::string() : std::string(found->second);
}

void TorchObjects::check_global(const std::string& name) {
  if (storage_type(name) == c10::ScalarType::Undefined && name != kOrderedDict && name != kRebuildTensor &&
      name != kRebuildParameter) {
    throw Error("asks for " + printable(name) +
                ", which no plain state dict needs; refused, nothing was run. Save model.state_dict() alone");
  }
}

PickleValue TorchObjects::call(const std::string& name, PickleItems& arguments, PickleHeap& heap) {
  if (name == kOrderedDict && arguments.empty()) {
    return heap.make(PickleKind::dict, PickleItems{});
  }
  if (name == kRebuildTensor) {
    return heap.make(PickleKind::tensor, rebuild_tensor(arguments));
  }
  if (name == kRebuildParameter && arguments.size() == 3) {
    if (const PickleNode* const tensor = as_node(arguments[0], PickleKind::tensor)) {
      return heap.make(PickleKind::tensor, tensor->tensor());
    }
  }
  throw Error("calls " + printable(name) + " with arguments that PyTorch does not write; refused");
}

PickleValue TorchObjects::load(const PickleValue& id, PickleHeap& heap) {
  PickleNode* const tuple = as_node(id, PickleKind::tuple);
  if (tuple == nullptr || tuple->items().size() != 5) {
    throw Error("an object outside the pickle that is no storage; refused");
  }
  const PickleItems& parts = tuple->items();
  const PickleNode* const tag = as_node(parts[0], PickleKind::string);
  const PickleNode* const global = as_node(parts[1], PickleKind::global);
  const PickleNode* const key = as_node(parts[2], PickleKind::string);
  const c10::ScalarType type = storage_type(global == nullptr ? std::string() : global->text());
  if (tag == nullptr || tag->text() != "storage" || type == c10::ScalarType::Undefined || key == nullptr) {
    throw Error("an object outside the pickle that is no storage; refused");
  }
  const std::int64_t count = to_size(parts[4], "storage");
  const c10::Storage& bytes = storage(key->text());
  const std::uint64_t available = bytes.nbytes() / c10::elementSize(type);
  if (static_cast<std::uint64_t>(count) > available) {
    throw Error("storage " + printable(key->text()) + " should have " + std::to_string(count) + " elements but has " +
                std::to_string(available) + "; damaged");
  }
  return heap.make(PickleKind::storage, PickleStorage{.bytes = bytes, .type = type});
}

const c10::Storage& TorchObjects::storage(const std::string& key) {
  const auto found = storages_.find(key);
  if (found != storages_.end()) {
    return found->second;
  }
  const std::string record = archive_.root() + "data/" + key;
  const at::Tensor bytes = at::empty({static_cast<std::int64_t>(archive_.size(record))}, at::kByte);
  archive_.read(record, bytes.data_ptr());
  return storages_.emplace(key, bytes.storage()).first->second;
}

}  // namespace relic
