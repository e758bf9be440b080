// What a pickle's stack holds while it is read.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace relic {

struct PickleNode;

/// None, bool, int, float, or an object, which the pickle may name again and change later.
using PickleValue = std::variant<std::monostate, bool, std::int64_t, double, PickleNode*>;

struct PickleStorage {
  c10::Storage bytes;
  c10::ScalarType type = c10::ScalarType::Float;
};

/// Items of a list or tuple; of a dict, keys and values in turn.
using PickleItems = std::vector<PickleValue>;

enum class PickleKind { string, list, tuple, dict, global, storage, tensor };

struct PickleNode {
  PickleKind kind = PickleKind::string;
  std::variant<std::string, PickleItems, PickleStorage, at::Tensor> content;  ///< a global's is its name

  [[nodiscard]] const std::string& text() const { return std::get<std::string>(content); }
  [[nodiscard]] PickleItems& items() { return std::get<PickleItems>(content); }
  [[nodiscard]] const PickleStorage& storage() const { return std::get<PickleStorage>(content); }
  [[nodiscard]] const at::Tensor& tensor() const { return std::get<at::Tensor>(content); }
};

/// Owns all objects of one pickle. A pickle can nest or cross-link them as it likes: freeing them one by one, not
/// through each other, needs no deep recursion and leaks no cycle.
class PickleHeap {
 public:
  /// Throws Error beyond ten million objects.
  PickleValue make(PickleKind kind, decltype(PickleNode::content) content);

 private:
  std::deque<PickleNode> nodes_;
};

/// The node in a value if it is of this kind, else null.
PickleNode* as_node(const PickleValue& value, PickleKind kind);
/// "a list", "an int", … for messages.
std::string describe(const PickleValue& value);

/// Copies a finished value out of the heap: dicts with their order, lists, tuples, numbers, strings, tensors. What the
/// pickle shares stays shared. Throws Error for storages and globals by themselves, keys other than strings and
/// integers, values that hold themselves, and nesting deeper than 100.
c10::IValue to_ivalue(const PickleValue& value);

}  // namespace relic
