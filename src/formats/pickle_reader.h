// Python's pickles, read as data: nothing in them is ever run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/pickle_value.h"

namespace relic {

/// What a pickle may ask for beyond plain data. Each member throws Error for what it does not know.
class PickleHost {
 public:
  virtual ~PickleHost() = default;
  /// Whether a pickle may name this ("torch.FloatStorage"); throws otherwise.
  virtual void check_global(const std::string& name) = 0;
  /// The result of calling a global that check_global let through.
  virtual PickleValue call(const std::string& name, PickleItems& arguments, PickleHeap& heap) = 0;
  /// The object outside the pickle with this id.
  virtual PickleValue load(const PickleValue& id, PickleHeap& heap) = 0;
};

/// Reads one pickle of protocol 2 to 5 (the binary opcodes that CPython's pickler writes for plain data).
class PickleReader {
 public:
  PickleReader(std::string_view bytes, PickleHost& host) : bytes_(bytes), host_(host) {}

  /// The pickled value, valid as long as this reader. Throws Error "byte N: …" for whatever is damaged or refused.
  PickleValue read();

 private:
  bool step();  // one opcode; false after STOP
  bool step_scalar(std::uint8_t opcode);
  bool step_text(std::uint8_t opcode);
  bool step_memo(std::uint8_t opcode);
  bool step_container(std::uint8_t opcode);
  bool step_object(std::uint8_t opcode);

  std::string_view take(std::uint64_t size);
  template <typename T>
  T take_number();
  std::string take_line();
  std::int64_t take_long();

  void push(PickleValue value) { stack_.push_back(value); }
  void push_node(PickleKind kind, decltype(PickleNode::content) content) { push(heap_.make(kind, std::move(content))); }
  PickleValue pop();
  PickleValue& top();
  PickleNode& top_node(PickleKind kind, const char* action);
  std::string pop_string();
  PickleItems pop_to_mark();
  void push_tuple(std::size_t size);
  void push_global(const std::string& name);
  void remember(std::uint64_t index);
  void recall(std::uint64_t index);

  std::string_view bytes_;
  PickleHost& host_;
  std::size_t at_ = 0;
  PickleHeap heap_;
  PickleItems stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue> memo_;
};

}  // namespace relic
