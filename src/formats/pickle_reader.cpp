#include "formats/pickle_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/printable.h"
#include "formats/archive_error.h"
#include "relic/core/error.h"

namespace relic {
namespace {

// Names as in CPython's Lib/pickle.py.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kEmptyDict = '}',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

constexpr std::uint8_t kOldestProtocol = 2;
constexpr std::uint8_t kNewestProtocol = 5;

/// What the opcodes that are refused stand for.
std::string refused(std::uint8_t opcode) {
  constexpr std::array<std::pair<std::uint8_t, const char*>, 23> kNames{{{'i', "an object (INST)"},
                                                                         {'o', "an object (OBJ)"},
                                                                         {0x81, "an object (NEWOBJ)"},
                                                                         {0x92, "an object (NEWOBJ_EX)"},
                                                                         {0x82, "an object (EXT1)"},
                                                                         {0x83, "an object (EXT2)"},
                                                                         {0x84, "an object (EXT4)"},
                                                                         {0x8b, "an integer of any size (LONG4)"},
                                                                         {'B', "bytes (BINBYTES)"},
                                                                         {'C', "bytes (SHORT_BINBYTES)"},
                                                                         {0x8e, "bytes (BINBYTES8)"},
                                                                         {0x96, "bytes (BYTEARRAY8)"},
                                                                         {0x97, "a buffer (NEXT_BUFFER)"},
                                                                         {0x98, "a buffer (READONLY_BUFFER)"},
                                                                         {'T', "bytes (BINSTRING)"},
                                                                         {'U', "bytes (SHORT_BINSTRING)"},
                                                                         {0x8f, "a set (EMPTY_SET)"},
                                                                         {0x90, "a set (ADDITEMS)"},
                                                                         {0x91, "a set (FROZENSET)"},
                                                                         {'P', "an object outside it (PERSID)"},
                                                                         {'0', "POP"},
                                                                         {'1', "POP_MARK"},
                                                                         {'2', "DUP"}}};
  const auto* found = std::ranges::find(kNames, opcode, &std::pair<std::uint8_t, const char*>::first);
  if (found != kNames.end()) {
    return std::string("asks for ") + found->second + ", which no state dict needs; refused";
  }
  return "unknown opcode " + std::to_string(opcode) + "; damaged, or not of pickle protocol 2 to 5";
}

}  // namespace

PickleValue PickleReader::read() {
  std::size_t begin = 0;
  try {
    if (bytes_.size() < 2 || static_cast<std::uint8_t>(bytes_.front()) != kProto) {
      throw Error("does not begin as a pickle of protocol 2 to 5");
    }
    do {
      begin = at_;
    } while (step());
    PickleValue result = pop();
    if (!stack_.empty() || !marks_.empty()) {
      throw Error("ends with values left over; damaged");
    }
    return result;
  } catch (const ArchiveError&) {
    throw;
  } catch (const Error& error) {
    throw Error("byte " + std::to_string(begin) + ": " + error.what());
  }
}

bool PickleReader::step() {
  const auto opcode = take_number<std::uint8_t>();
  if (opcode == kStop) {
    return false;
  }
  if (!step_scalar(opcode) && !step_text(opcode) && !step_memo(opcode) && !step_container(opcode) &&
      !step_object(opcode)) {
    throw Error(refused(opcode));
  }
  return true;
}

bool PickleReader::step_scalar(std::uint8_t opcode) {
  switch (opcode) {
    case kProto:
      if (const auto protocol = take_number<std::uint8_t>(); protocol < kOldestProtocol || protocol > kNewestProtocol) {
        throw Error("pickle protocol " + std::to_string(protocol) + "; save with pickle_protocol 2 to 5");
      }
      return true;
    case kFrame:  // says how much a streaming reader should fetch; all of it is here
      take_number<std::uint64_t>();
      return true;
    case kNone:
      push({});
      return true;
    case kNewTrue:
      push(true);
      return true;
    case kNewFalse:
      push(false);
      return true;
    case kBinInt:
      push(std::int64_t{take_number<std::int32_t>()});
      return true;
    case kBinInt1:
      push(std::int64_t{take_number<std::uint8_t>()});
      return true;
    case kBinInt2:
      push(std::int64_t{take_number<std::uint16_t>()});
      return true;
    case kLong1:
      push(take_long());
      return true;
    case kBinFloat: {
      std::array<char, 8> reversed{};
      std::ranges::reverse_copy(take(8), reversed.begin());
      push(std::bit_cast<double>(reversed));
      return true;
    }
    default:
      return false;
  }
}

bool PickleReader::step_text(std::uint8_t opcode) {
  std::uint64_t size = 0;
  switch (opcode) {
    case kShortBinUnicode:
      size = take_number<std::uint8_t>();
      break;
    case kBinUnicode:
      size = take_number<std::uint32_t>();
      break;
    case kBinUnicode8:
      size = take_number<std::uint64_t>();
      break;
    default:
      return false;
  }
  push_node(PickleKind::string, std::string(take(size)));
  return true;
}

bool PickleReader::step_memo(std::uint8_t opcode) {
  switch (opcode) {
    case kBinPut:
      remember(take_number<std::uint8_t>());
      return true;
    case kLongBinPut:
      remember(take_number<std::uint32_t>());
      return true;
    case kMemoize:
      remember(memo_.size());
      return true;
    case kBinGet:
      recall(take_number<std::uint8_t>());
      return true;
    case kLongBinGet:
      recall(take_number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

bool PickleReader::step_container(std::uint8_t opcode) {
  switch (opcode) {
    case kMark:
      marks_.push_back(stack_.size());
      return true;
    case kEmptyDict:
      push_node(PickleKind::dict, PickleItems{});
      return true;
    case kEmptyList:
      push_node(PickleKind::list, PickleItems{});
      return true;
    case kEmptyTuple:
      push_tuple(0);
      return true;
    case kTuple1:
    case kTuple2:
    case kTuple3:
      push_tuple(opcode - kTuple1 + std::size_t{1});
      return true;
    case kTuple:
      push_node(PickleKind::tuple, pop_to_mark());
      return true;
    case kAppend: {
      const PickleValue item = pop();
      top_node(PickleKind::list, "append to").items().push_back(item);
      return true;
    }
    case kAppends: {
      const PickleItems items = pop_to_mark();
      PickleItems& list = top_node(PickleKind::list, "append to").items();
      list.insert(list.end(), items.begin(), items.end());
      return true;
    }
    case kSetItem: {
      const PickleValue value = pop();
      const PickleValue key = pop();
      PickleItems& dict = top_node(PickleKind::dict, "set an item of").items();
      dict.insert(dict.end(), {key, value});
      return true;
    }
    case kSetItems: {
      const PickleItems items = pop_to_mark();
      if (items.size() % 2 != 0) {
        throw Error("a dict's key without a value; damaged");
      }
      PickleItems& dict = top_node(PickleKind::dict, "set items of").items();
      dict.insert(dict.end(), items.begin(), items.end());
      return true;
    }
    default:
      return false;
  }
}

bool PickleReader::step_object(std::uint8_t opcode) {
  switch (opcode) {
    case kGlobal: {
      const std::string module = take_line();
      push_global(module + "." + take_line());
      return true;
    }
    case kStackGlobal: {
      const std::string name = pop_string();
      push_global(pop_string() + "." + name);
      return true;
    }
    case kReduce: {
      const PickleValue arguments = pop();
      const PickleNode* const callable = as_node(pop(), PickleKind::global);
      PickleNode* const tuple = as_node(arguments, PickleKind::tuple);
      if (callable == nullptr || tuple == nullptr) {
        throw Error("calls something that is no function; damaged, or refused");
      }
      push(host_.call(callable->text(), tuple->items(), heap_));
      return true;
    }
    case kBuild:
      // The attributes of an OrderedDict: a state dict's _metadata, which only says how old its layout is.
      pop();
      top_node(PickleKind::dict, "set attributes of");
      return true;
    case kBinPersId:
      push(host_.load(pop(), heap_));
      return true;
    default:
      return false;
  }
}

std::string_view PickleReader::take(std::uint64_t size) {
  if (size > bytes_.size() - at_) {
    throw Error("the pickle is cut short");
  }
  const std::string_view taken = bytes_.substr(at_, size);
  at_ += size;
  return taken;
}

template <typename T>
T PickleReader::take_number() {
  T number{};
  std::memcpy(&number, take(sizeof(T)).data(), sizeof(T));
  return number;
}

std::string PickleReader::take_line() {
  const std::size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos) {
    throw Error("the pickle is cut short");
  }
  std::string line(take(end - at_));
  take(1);
  return line;
}

std::int64_t PickleReader::take_long() {
  const std::string_view bytes = take(take_number<std::uint8_t>());
  if (bytes.size() > sizeof(std::int64_t)) {
    throw Error("an integer of " + std::to_string(bytes.size()) + " bytes; 8 are the most");
  }
  const bool negative = !bytes.empty() && (static_cast<std::uint8_t>(bytes.back()) & 0x80U) != 0;
  std::int64_t value = negative ? -1 : 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

PickleValue PickleReader::pop() {
  const PickleValue value = top();
  stack_.pop_back();
  return value;
}

PickleValue& PickleReader::top() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) {
    throw Error("takes a value from an empty stack; damaged");
  }
  return stack_.back();
}

PickleNode& PickleReader::top_node(PickleKind kind, const char* action) {
  PickleNode* const node = as_node(top(), kind);
  if (node == nullptr) {
    throw Error(std::string("would ") + action + " " + describe(top()) + "; damaged, or refused");
  }
  return *node;
}

std::string PickleReader::pop_string() {
  const PickleValue value = pop();
  const PickleNode* const node = as_node(value, PickleKind::string);
  if (node == nullptr) {
    throw Error("takes " + describe(value) + " for a name; damaged");
  }
  return node->text();
}

PickleItems PickleReader::pop_to_mark() {
  if (marks_.empty()) {
    throw Error("no mark on the stack; damaged");
  }
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  PickleItems items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void PickleReader::push_tuple(std::size_t size) {
  PickleItems items(size);
  for (std::size_t i = size; i > 0; --i) {
    items[i - 1] = pop();
  }
  push_node(PickleKind::tuple, std::move(items));
}

void PickleReader::push_global(const std::string& name) {
  host_.check_global(name);
  push_node(PickleKind::global, name);
}

void PickleReader::remember(std::uint64_t index) { memo_.insert_or_assign(index, top()); }

void PickleReader::recall(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) {
    throw Error("recalls object " + std::to_string(index) + ", which is not there; damaged");
  }
  push(found->second);
}

}  // namespace relic
