#include "formats/pickle_value.h"

#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/printable.h"
#include "relic/core/error.h"

namespace relic {
namespace {

constexpr std::size_t kMostObjects = 10'000'000;
constexpr int kDeepest = 100;

class Converter {
 public:
  c10::IValue convert(const PickleValue& value, int depth) {
    if (const auto* boolean = std::get_if<bool>(&value)) {
      return *boolean;
    }
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      return *integer;
    }
    if (const auto* number = std::get_if<double>(&value)) {
      return *number;
    }
    if (auto* const* node = std::get_if<PickleNode*>(&value)) {
      return convert_node(**node, depth);
    }
    return {};
  }

 private:
  struct Done {
    c10::IValue value;
    int height;  // levels below it: wherever the pickle names it again, they count too
  };

  void reach(int depth) {
    if (depth > kDeepest) {
      throw Error("is nested deeper than " + std::to_string(kDeepest) + " levels, or holds itself");
    }
    deepest_ = std::max(deepest_, depth);
  }

  c10::IValue convert_node(PickleNode& node, int depth) {
    reach(depth);
    if (const auto found = done_.find(&node); found != done_.end()) {
      reach(depth + found->second.height);
      return found->second.value;
    }
    const int outside = std::exchange(deepest_, depth);
    c10::IValue value = convert_new(node, depth);
    done_.emplace(&node, Done{.value = value, .height = deepest_ - depth});
    deepest_ = std::max(deepest_, outside);
    return value;
  }

  c10::IValue convert_new(PickleNode& node, int depth) {
    switch (node.kind) {
      case PickleKind::string:
        return node.text();
      case PickleKind::tensor:
        return node.tensor();
      case PickleKind::tuple:
        return c10::ivalue::Tuple::create(convert_items(node, depth));
      case PickleKind::list: {
        c10::impl::GenericList list(c10::AnyType::get());
        for (auto& item : convert_items(node, depth)) {
          list.push_back(std::move(item));
        }
        return list;
      }
      case PickleKind::dict:
        return convert_dict(node, depth);
      case PickleKind::global:
      case PickleKind::storage:
        break;
    }
    throw Error("holds " + describe(&node) + ", which is none of dict, list, tuple, number, string, tensor");
  }

  std::vector<c10::IValue> convert_items(PickleNode& node, int depth) {
    std::vector<c10::IValue> items;
    items.reserve(node.items().size());
    for (const PickleValue& item : node.items()) {
      items.push_back(convert(item, depth + 1));
    }
    return items;
  }

  c10::IValue convert_dict(PickleNode& node, int depth) {
    const PickleItems& items = node.items();
    bool strings = true;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const bool is_string = as_node(items[i], PickleKind::string) != nullptr;
      if (!is_string && !std::holds_alternative<std::int64_t>(items[i])) {
        throw Error("holds a dict with " + describe(items[i]) + " as a key; keys may be strings or integers");
      }
      strings = strings && is_string;
    }
    const c10::TypePtr key_type = strings ? c10::TypePtr(c10::StringType::get()) : c10::TypePtr(c10::AnyType::get());
    c10::impl::GenericDict dict(key_type, c10::AnyType::get());
    for (std::size_t i = 0; i < items.size(); i += 2) {
      dict.insert_or_assign(convert(items[i], depth + 1), convert(items[i + 1], depth + 1));
    }
    return dict;
  }

  std::unordered_map<const PickleNode*, Done> done_;
  int deepest_ = 0;  // level reached within what is being converted
};

}  // namespace

PickleValue PickleHeap::make(PickleKind kind, decltype(PickleNode::content) content) {
  if (nodes_.size() >= kMostObjects) {
    throw Error("holds more than " + std::to_string(kMostObjects) + " objects");
  }
  return &nodes_.emplace_back(PickleNode{.kind = kind, .content = std::move(content)});
}

PickleNode* as_node(const PickleValue& value, PickleKind kind) {
  auto* const* node = std::get_if<PickleNode*>(&value);
  return node != nullptr && (*node)->kind == kind ? *node : nullptr;
}

std::string describe(const PickleValue& value) {
  if (auto* const* node = std::get_if<PickleNode*>(&value)) {
    switch ((*node)->kind) {
      case PickleKind::string:
        return "a string";
      case PickleKind::list:
        return "a list";
      case PickleKind::tuple:
        return "a tuple";
      case PickleKind::dict:
        return "a dict";
      case PickleKind::global:
        return printable((*node)->text()) + " itself";
      case PickleKind::storage:
        return "a bare storage";
      case PickleKind::tensor:
        return "a tensor";
    }
  }
  constexpr std::array<const char*, 4> kScalars{"None", "a bool", "an integer", "a float"};
  return kScalars.at(std::min<std::size_t>(value.index(), 3));
}

c10::IValue to_ivalue(const PickleValue& value) { return Converter().convert(value, 0); }

}  // namespace relic
