#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "formats/archives.h"
#include "relic/core/error.h"
#include "relic/formats/pth.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using namespace testing::pickle;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::make_archive;
using ::testing::Not;
using testing::Records;
using testing::spit;
using ::testing::StartsWith;
using testing::TemporaryFolder;

/// What reading a file with these bytes says; "" if it is read.
std::string message_of_file(const std::string& file_bytes) {
  const TemporaryFolder folder;
  spit(folder / "file.pth", file_bytes);
  try {
    read_pth(folder / "file.pth");
    return "";
  } catch (const Error& error) {
    std::string message = error.what();
    EXPECT_THAT(message, AllOf(HasSubstr("file.pth: "), Not(HasSubstr("\n"))));
    return message;
  }
}

/// What reading a .pth with this pickle and four float32 in record "0" says.
std::string message_of(const std::string& pickle) {
  return message_of_file(
      make_archive({{"data.pkl", pickle}, {"byteorder", "little"}, {"data/0", std::string(16, '\0')}}));
}

TEST(PthRefusals, GlobalsAreNamedAndNotRun) {
  EXPECT_THAT(message_of(whole(global("os", "system") + tuple({text("touch ran")}) + "R")),
              HasSubstr("data.pkl byte 2: asks for os.system, which no plain state dict needs; refused"));
  EXPECT_THAT(message_of(whole(global("torch", "device"))), HasSubstr("asks for torch.device"));
  EXPECT_THAT(message_of(whole(global("torch", "QInt8Storage"))), HasSubstr("asks for torch.QInt8Storage"));
  EXPECT_THAT(message_of(whole(global("torch._utils", "_rebuild_tensor_v3"))), HasSubstr("_rebuild_tensor_v3"));
  EXPECT_THAT(message_of(bytes({0x80, 4, 0x8c, 2}) + "os" + bytes({0x8c, 6}) + "system" + bytes({0x93}) + "."),
              HasSubstr("asks for os.system"));
  EXPECT_THAT(message_of(whole("cbad\x1b[31m\nname\n")), HasSubstr("asks for bad?[31m.name"));
}

TEST(PthRefusals, KnownGlobalsOnlyTakeWhatPyTorchWrites) {
  EXPECT_THAT(message_of(whole(global("torch", "FloatStorage") + ")R")),
              HasSubstr("calls torch.FloatStorage with arguments that PyTorch does not write"));
  EXPECT_THAT(message_of(whole(global("collections", "OrderedDict") + tuple({text("x")}) + "R")),
              HasSubstr("calls collections.OrderedDict with arguments"));
  EXPECT_THAT(message_of(whole(global("torch._utils", "_rebuild_parameter") + tuple({"N", "N", "N"}) + "R")),
              HasSubstr("calls torch._utils._rebuild_parameter with arguments"));
  EXPECT_THAT(message_of(whole(global("torch._utils", "_rebuild_tensor_v2") + ")R")),
              HasSubstr("a tensor of 0 arguments"));
  EXPECT_THAT(message_of(whole("N)R")), HasSubstr("calls something that is no function"));
  EXPECT_THAT(message_of(whole(global("torch", "FloatStorage") + "NR")), HasSubstr("calls something that is no"));
  EXPECT_THAT(message_of(whole(global("torch", "FloatStorage"))),
              HasSubstr("holds torch.FloatStorage itself, which is none of dict, list, tuple, number, string, tensor"));
  EXPECT_THAT(message_of(whole(storage("FloatStorage", "0", 4))), HasSubstr("holds a bare storage"));
}

TEST(PthRefusals, OpcodesThatNoStateDictNeeds) {
  EXPECT_THAT(message_of(whole(global("torch", "FloatStorage") + ")" + bytes({0x81}))),
              HasSubstr("byte 23: asks for an object (NEWOBJ), which no state dict needs; refused"));
  const std::vector<std::pair<int, std::string>> names{{'i', "an object (INST)"},
                                                       {'o', "an object (OBJ)"},
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
                                                       {'2', "DUP"}};
  for (const auto& [opcode, name] : names) {
    EXPECT_THAT(message_of(whole(bytes({opcode}))),
                HasSubstr("byte 2: asks for " + name + ", which no state dict needs"));
  }
  EXPECT_THAT(message_of(whole(bytes({0xff}))), HasSubstr("unknown opcode 255"));
  EXPECT_THAT(message_of(whole("I1\n")), HasSubstr("unknown opcode 73"));
  EXPECT_THAT(message_of(bytes({0x80, 6}) + "N."), HasSubstr("pickle protocol 6; save with pickle_protocol 2 to 5"));
  EXPECT_THAT(message_of("(dp0\n."), HasSubstr("does not begin as a pickle of protocol 2 to 5"));
}

TEST(PthRefusals, DamagedPickles) {
  EXPECT_THAT(message_of(""), HasSubstr("does not begin as a pickle"));
  EXPECT_THAT(message_of(bytes({0x80, 2})), HasSubstr("byte 2: the pickle is cut short"));
  EXPECT_THAT(message_of(whole("")), HasSubstr("takes a value from an empty stack"));
  EXPECT_THAT(message_of(whole("NN")), HasSubstr("ends with values left over"));
  EXPECT_THAT(message_of(whole("N(")), HasSubstr("takes a value from an empty stack"));
  EXPECT_THAT(message_of(whole("N(a")), HasSubstr("takes a value from an empty stack"));
  EXPECT_THAT(message_of(whole("t")), HasSubstr("no mark on the stack"));
  EXPECT_THAT(message_of(whole("}(Nu")), HasSubstr("a dict's key without a value"));
  EXPECT_THAT(message_of(whole("}Na")), HasSubstr("would append to a dict; damaged, or refused"));
  EXPECT_THAT(message_of(whole("](Nu")), HasSubstr("a dict's key without a value"));
  EXPECT_THAT(message_of(whole("](NNu")), HasSubstr("would set items of a list"));
  EXPECT_THAT(message_of(whole("]NNs")), HasSubstr("would set an item of a list"));
  EXPECT_THAT(message_of(whole("N}b")), HasSubstr("would set attributes of None"));
  EXPECT_THAT(message_of(whole(bytes({'h', 7}))), HasSubstr("recalls object 7, which is not there"));
  EXPECT_THAT(message_of(whole(bytes({'j', 0xff, 0xff, 0xff, 0xff}))), HasSubstr("recalls object 4294967295"));
  EXPECT_THAT(message_of(whole(bytes({'q', 0}))), HasSubstr("takes a value from an empty stack"));
  EXPECT_THAT(message_of(whole("X" + bytes({0xff, 0xff, 0xff, 0xff}) + "abc")), HasSubstr("cut short"));
  EXPECT_THAT(message_of(whole(bytes({0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}))), HasSubstr("cut short"));
  EXPECT_THAT(message_of(whole("cos")), HasSubstr("cut short"));
  EXPECT_THAT(message_of(whole(bytes({0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1}))),
              HasSubstr("an integer of 9 bytes; 8 are the most"));
  EXPECT_THAT(message_of(whole("NN" + bytes({0x93}))), HasSubstr("takes None for a name; damaged"));
}

TEST(PthRefusals, ValuesThatCannotBeHandedOver) {
  EXPECT_THAT(message_of(whole(bytes({']', 'q', 0, 'h', 0, 'a'}))), HasSubstr("or holds itself"));
  EXPECT_THAT(message_of(whole(std::string(200, ']') + std::string(199, 'a'))), HasSubstr("nested deeper than 100"));
  // Far deeper than the call stack could follow.
  EXPECT_THAT(message_of(whole(std::string(2'000'000, ']') + std::string(1'999'999, 'a'))),
              HasSubstr("nested deeper than 100"));
  // Lists of sixty levels that are whole by themselves, each at the bottom of the next.
  std::string chain;
  for (int i = 0; i < 100; ++i) {
    chain += std::string(60, ']') + (i == 0 ? "N" : bytes({'h', i - 1})) + std::string(60, 'a') + bytes({'q', i});
  }
  EXPECT_THAT(message_of(whole("(" + chain + "t")), HasSubstr("nested deeper than 100"));
  EXPECT_THAT(message_of(whole("}NNs")), HasSubstr("holds a dict with None as a key; keys may be strings or integers"));
  EXPECT_THAT(message_of(whole("})Ns")), HasSubstr("a dict with a tuple as a key"));
}

TEST(PthRefusals, MoreObjectsThanAStateDictHas) {
  std::string lists = "}";
  for (int i = 0; i < 10'000'000; ++i) {
    lists += "]b";  // one that is thrown away at once
  }
  EXPECT_THAT(message_of(whole(lists)), HasSubstr("holds more than 10000000 objects"));
}

TEST(PthRefusals, SharedListsAreNotMultiplied) {
  // Sixty lists of twice the one before: 2⁶⁰ items to whoever follows every reference.
  std::string pickle = "]";
  for (int i = 0; i < 60; ++i) {
    pickle += bytes({'q', i}) + "](" + bytes({'h', i, 'h', i}) + "e";
  }
  // The lists left below on the stack go into one tuple.
  EXPECT_EQ(message_of(whole("(" + pickle + "t")), "");
}

TEST(PthRefusals, TensorsMustFitTheirStorage) {
  const std::string one = integer(1);
  EXPECT_EQ(message_of(whole(tensor(4, 0, {integer(2), integer(2)}, {integer(2), one}))), "");
  EXPECT_EQ(message_of(whole(tensor(4, 3, {one}, {one}))), "");
  EXPECT_EQ(message_of(whole(tensor(4, 0, {integer(1000)}, {integer(0)}))), "");
  EXPECT_EQ(message_of(whole(tensor(4, 9, {integer(0)}, {one}))), "");
  EXPECT_THAT(message_of(whole(tensor(4, 4, {one}, {one}))),
              HasSubstr("a tensor reaches element 5 of a storage of 4; damaged"));
  EXPECT_THAT(message_of(whole(tensor(4, 0, {integer(5)}, {one}))), HasSubstr("reaches element 5"));
  EXPECT_THAT(message_of(whole(tensor(4, 0, {integer(2)}, {integer(4)}))), HasSubstr("reaches element 5"));
  EXPECT_THAT(message_of(whole(tensor(4, -1, {one}, {one}))), HasSubstr("a tensor's offset is -1"));
  EXPECT_THAT(message_of(whole(tensor(4, 0, {integer(-1)}, {one}))), HasSubstr("a tensor's size is -1"));
  EXPECT_THAT(message_of(whole(tensor(4, 1, {integer(2)}, {integer(-1)}))), HasSubstr("a tensor's stride is -1"));
  EXPECT_THAT(message_of(whole(tensor(4, 0, {text("x")}, {one}))), HasSubstr("a tensor's size is a string"));
  EXPECT_THAT(message_of(whole(tensor(4, 0, {one, one}, {one}))), HasSubstr("a tensor of 2 sizes and 1 strides"));
  EXPECT_THAT(message_of(whole(global("torch._utils", "_rebuild_tensor_v2") + "(NNNNNNtR")),
              HasSubstr("a tensor over None; damaged"));
  EXPECT_THAT(message_of(whole(tensor(5, 0, {one}, {one}))),
              HasSubstr("storage 0 should have 5 elements but has 4; damaged"));
  EXPECT_THAT(message_of(whole(tensor(-1, 0, {one}, {one}))), HasSubstr("a tensor's storage is -1"));
}

TEST(PthRefusals, TensorsHaveNoMoreDimensionsThanPyTorchWorksWith) {
  const auto with_dimensions = [](std::size_t count) {
    std::string ones = "(";
    for (std::size_t i = 0; i < count; ++i) {
      ones += integer(1);
    }
    ones += "t";
    return whole(global("torch._utils", "_rebuild_tensor_v2") +
                 tuple({storage("FloatStorage", "0", 4), integer(0), ones, ones, bytes({0x89}), "N"}) + "R");
  };
  EXPECT_EQ(message_of(with_dimensions(64)), "");
  // Thousands of dimensions take the time of their square, and a pickle can name the same ones again and again.
  EXPECT_THAT(message_of(with_dimensions(65)), HasSubstr("a tensor of 65 dimensions; damaged"));
}

TEST(PthRefusals, NumbersThatOverflow) {
  const std::string most = integer(std::numeric_limits<std::int64_t>::max());
  const std::string half = integer(std::int64_t{1} << 32);
  const std::string zero = integer(0);
  const std::string one = integer(1);
  for (const auto& pickle :
       {tensor(4, std::numeric_limits<std::int64_t>::max(), {one}, {one}), tensor(4, 0, {most}, {one}),
        tensor(4, 0, {integer(2)}, {most}), tensor(4, 0, {half, half}, {zero, zero}),
        tensor(4, 0, {half, half, zero}, {zero, zero, zero}), tensor(4, 0, {most}, {zero}),
        tensor(4, 1, {integer(2)}, {most})}) {
    EXPECT_THAT(message_of(whole(pickle)), HasSubstr("a tensor's size overflows"));
  }
}

TEST(PthRefusals, StoragesMustBeStorages) {
  const auto id = [](const std::string& content) { return whole(content + "Q"); };
  const char* const refused = "an object outside the pickle that is no storage";
  EXPECT_THAT(message_of(id("N")), HasSubstr(refused));
  EXPECT_THAT(message_of(id(")")), HasSubstr(refused));
  EXPECT_THAT(message_of(id(tuple({text("module"), global("torch", "FloatStorage"), text("0"), text("cpu"), "N"}))),
              HasSubstr(refused));
  EXPECT_THAT(message_of(id(tuple({text("storage"), text("FloatStorage"), text("0"), text("cpu"), "N"}))),
              HasSubstr(refused));
  EXPECT_THAT(
      message_of(id(tuple({text("storage"), global("collections", "OrderedDict"), text("0"), text("cpu"), "N"}))),
      HasSubstr(refused));
  EXPECT_THAT(message_of(whole(storage("FloatStorage", "7", 4))), HasSubstr("archive/data/7 is missing"));
  EXPECT_THAT(message_of(whole(storage("FloatStorage", "../data.pkl", 1))), HasSubstr("data/../data.pkl is missing"));
  EXPECT_THAT(message_of(id(tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), "N"}))),
              HasSubstr("a tensor's storage is None"));
}

TEST(PthRefusals, LazyConjugatesAreNotReadAsTheirOpposite) {
  const auto with = [](const std::string& metadata) {
    return whole(global("torch._utils", "_rebuild_tensor_v2") +
                 tuple({storage("FloatStorage", "0", 4), integer(0), tuple({integer(4)}), tuple({integer(1)}), "N", "N",
                        metadata}) +
                 "R");
  };
  EXPECT_EQ(message_of(with("}")), "");
  EXPECT_EQ(message_of(with("N")), "");
  EXPECT_THAT(message_of(with("}" + text("neg") + bytes({0x88}) + "s")), HasSubstr("a tensor with metadata"));
  EXPECT_THAT(message_of(with(")")), HasSubstr("a tensor with metadata"));
}

TEST(PthRefusals, OtherKindsOfFile) {
  const std::string legacy = bytes({0x80, 2, 0x8a, 0x0a}) + "l\xfc\x9c" + "F\xf9 j\xa8P\x19.";
  EXPECT_THAT(message_of_file(legacy + std::string(100, 'x')),
              HasSubstr("written in the format before PyTorch 1.6; load it in Python and save it again"));
  EXPECT_THAT(message_of_file(""), HasSubstr("the file is empty"));
  EXPECT_THAT(message_of_file("<!DOCTYPE html>"), HasSubstr("not a .pth file (no zip archive)"));
  EXPECT_THAT(message_of_file(make_archive({{"constants.pkl", ""}, {"data.pkl", ""}})),
              HasSubstr("a TorchScript archive"));
  EXPECT_THAT(message_of_file(make_archive({{"weights", "x"}})),
              HasSubstr("a zip archive but not a .pth file (no data.pkl)"));
  EXPECT_THAT(message_of_file(make_archive({{"data.pkl", std::string((64U << 20U) + 1, '.')}})),
              HasSubstr("its data.pkl of 67108865 bytes is too large for a state dict"));
  EXPECT_THAT(message_of_file(make_archive({{"data.pkl", whole("N")}, {"byteorder", "big"}})),
              HasSubstr("written on a big-endian machine"));
}

TEST(PthRefusals, WhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_THAT(testing::message_of<Error>([&] { read_pth(folder / "absent.pth"); }),
              HasSubstr("absent.pth: No such file or directory"));
  for (const std::filesystem::path& path : {folder.path(), folder / "", std::filesystem::path("/dev/null")}) {
    EXPECT_THAT(testing::message_of<Error>([&] { read_pth(path); }),
                HasSubstr(path.string() + ": not a file but a folder or device"));
  }
}

TEST(PthRefusals, TorchScriptAsTorchSavesIt) {
  const TemporaryFolder folder;
  torch::save(torch::nn::Linear(2, 2), (folder / "script.pt").string());
  try {
    read_pth(folder / "script.pt");
    ADD_FAILURE() << "no Error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a TorchScript archive"));
  }
}

TEST(PthRefusals, StateDictsAreFlatAndHoldTensors) {
  const auto message = [](const c10::IValue& value) -> std::string {
    try {
      to_state_dict(value, "x.pth");
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  c10::impl::GenericDict nested(c10::StringType::get(), c10::AnyType::get());
  nested.insert("state_dict", to_value({{"a", torch::ones({1})}}));
  EXPECT_THAT(message(nested), AllOf(StartsWith("x.pth: not a state dict"), HasSubstr("'state_dict' is a dict; if "
                                                                                      "that is the state dict")));
  c10::impl::GenericDict number(c10::StringType::get(), c10::AnyType::get());
  number.insert("epoch", 3);
  EXPECT_THAT(message(number), HasSubstr("'epoch' is a number"));
  EXPECT_THAT(message(torch::ones({2})), HasSubstr("holds a tensor, not a state dict"));
  c10::impl::GenericDict keys(c10::IntType::get(), c10::AnyType::get());
  keys.insert(std::int64_t{3}, torch::ones({1}));
  EXPECT_THAT(message(keys), HasSubstr("the key a number"));
}

}  // namespace
}  // namespace relic
