#include "relic/formats/pth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <sys/resource.h>

#include <csignal>
#include <limits>

#include "formats/archives.h"
#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

StateDict assorted_tensors() {
  StateDict tensors;
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kBFloat16}) {
    tensors.emplace_back(std::string("float.") + c10::toString(type), torch::randn({2, 3}).to(type));
  }
  for (const auto type : {torch::kLong, torch::kInt, torch::kShort, torch::kChar, torch::kByte, torch::kBool}) {
    tensors.emplace_back(std::string("integer.") + c10::toString(type), torch::arange(5).remainder(2).to(type));
  }
  const auto big = std::int64_t{1} << 40;
  tensors.emplace_back("big", torch::tensor({big, -big, std::numeric_limits<std::int64_t>::min()}));
  tensors.emplace_back("scalar", torch::tensor(0.25));
  tensors.emplace_back("empty", torch::empty({0}));
  tensors.emplace_back("empty_matrix", torch::empty({3, 0, 2}));
  tensors.emplace_back("transposed", torch::arange(12.0).view({3, 4}).t());
  tensors.emplace_back("channels_last", torch::randn({2, 3, 4, 4}).contiguous(torch::MemoryFormat::ChannelsLast));
  tensors.emplace_back("slice", torch::arange(1000.0).slice(0, 100, 110));
  tensors.emplace_back("expanded", torch::ones({1}).expand({4}));
  tensors.emplace_back("learned", torch::ones({2}, torch::requires_grad()));
  return tensors;
}

void expect_equal(const StateDict& read, const StateDict& written) {
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    const auto& [name, tensor] = read[i];
    EXPECT_EQ(name, written[i].first);
    EXPECT_EQ(tensor.scalar_type(), written[i].second.scalar_type()) << name;
    EXPECT_EQ(tensor.sizes(), written[i].second.sizes()) << name;
    EXPECT_TRUE(torch::equal(tensor, written[i].second)) << name;
    EXPECT_FALSE(tensor.requires_grad()) << name;
  }
}

TEST(Pth, StateDictsComeBackWithNamesOrderTypesAndValues) {
  const TemporaryFolder folder;
  const StateDict written = assorted_tensors();
  write_state_dict(folder / "model.pth", written);
  expect_equal(read_state_dict(folder / "model.pth"), written);
}

TEST(Pth, ASliceIsWrittenWithoutTheRestOfItsStorage) {
  const TemporaryFolder folder;
  write_state_dict(folder / "slice.pth", {{"slice", torch::zeros({1'000'000}).slice(0, 0, 10)}});
  EXPECT_LT(std::filesystem::file_size(folder / "slice.pth"), 4000U);
}

TEST(Pth, TensorsThatShareMemoryStillShareIt) {
  const TemporaryFolder folder;
  const auto shared = torch::arange(100'000.0);
  write_state_dict(folder / "shared.pth", {{"a", shared}, {"b", shared}, {"bits", shared.view(torch::kInt)}});
  EXPECT_LT(std::filesystem::file_size(folder / "shared.pth"), 2U * 400'000U + 4000U);
  const StateDict read = read_state_dict(folder / "shared.pth");
  EXPECT_EQ(read.at(0).second.data_ptr(), read.at(1).second.data_ptr());
  EXPECT_TRUE(torch::equal(read.at(2).second, shared.view(torch::kInt)));
}

TEST(Pth, NestedValuesComeBack) {
  const TemporaryFolder folder;
  c10::impl::GenericDict inner(c10::StringType::get(), c10::AnyType::get());
  inner.insert("step", std::int64_t{1} << 33);
  inner.insert("rate", 3e-4);
  inner.insert("name", "ü");
  inner.insert("on", true);
  inner.insert("none", c10::IValue());
  inner.insert("sizes", std::vector<std::int64_t>{1, -2, 300, 70'000});
  inner.insert("weights", std::vector<double>{0.5, 1e300});
  inner.insert("pair", c10::ivalue::Tuple::create({c10::IValue(1), c10::IValue("two")}));
  c10::impl::GenericDict outer(c10::StringType::get(), c10::AnyType::get());
  outer.insert("inner", inner);
  outer.insert("tensors", std::vector<torch::Tensor>{torch::ones({2}), torch::zeros({1})});
  write_pth(folder / "nested.pth", outer);

  const auto read = read_pth(folder / "nested.pth").toGenericDict();
  const auto values = read.at("inner").toGenericDict();
  EXPECT_EQ(values.at("step").toInt(), std::int64_t{1} << 33);
  EXPECT_EQ(values.at("rate").toDouble(), 3e-4);
  EXPECT_EQ(values.at("name").toStringRef(), "ü");
  EXPECT_TRUE(values.at("on").toBool());
  EXPECT_TRUE(values.at("none").isNone());
  std::vector<std::int64_t> sizes;
  for (const c10::IValue& size : values.at("sizes").toListRef()) {
    sizes.push_back(size.toInt());
  }
  EXPECT_THAT(sizes, ElementsAre(1, -2, 300, 70'000));
  EXPECT_EQ(values.at("weights").toListRef()[1].toDouble(), 1e300);
  EXPECT_EQ(values.at("pair").toTupleRef().elements()[1].toStringRef(), "two");
  EXPECT_TRUE(torch::equal(read.at("tensors").toListRef()[0].toTensor(), torch::ones({2})));
}

TEST(Pth, TheSameTensorsGiveTheSameBytes) {
  const TemporaryFolder folder;
  const StateDict tensors = assorted_tensors();
  write_state_dict(folder / "a.pth", tensors);
  write_state_dict(folder / "b.pth", tensors);
  EXPECT_EQ(testing::slurp(folder / "a.pth"), testing::slurp(folder / "b.pth"));
}

// Made by tests/interop/make_fixtures.py.
TEST(Pth, ReadsWhatPythonWrote) {
  for (const char* name : {"python_protocol2.pth", "python_protocol4.pth", "python_without_crc.pth"}) {
    const StateDict read = read_state_dict(std::filesystem::path(RELIC_TEST_DATA) / "pth" / name);
    const StateDict expected{{"0.weight", torch::arange(6.0).view({2, 3})},
                             {"0.bias", torch::tensor({0.5, -0.5}, torch::kBFloat16)},
                             {"1.num_batches_tracked", torch::tensor(std::int64_t{1} << 40)},
                             {"transposed", torch::arange(6.0).view({2, 3}).t()},
                             {"parameter", torch::full({2}, 7.0)}};
    SCOPED_TRACE(name);
    expect_equal(read, expected);
  }
}

TEST(Pth, AFailedWriteLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_state_dict(folder / "model.pth", {{"a", torch::ones({2})}});
  const std::string before = testing::slurp(folder / "model.pth");
  c10::impl::GenericDict bad(c10::StringType::get(), c10::AnyType::get());
  bad.insert("device", c10::Device(c10::kCPU));
  EXPECT_THROW(write_pth(folder / "model.pth", bad), Error);
  EXPECT_EQ(testing::slurp(folder / "model.pth"), before);
  EXPECT_THROW(write_state_dict(folder / "absent" / "model.pth", {{"a", torch::ones({2})}}), Error);
}

TEST(Pth, AFullDiskIsAnErrorAndNotAnAbort) {
  const TemporaryFolder folder;
  const StateDict tensors{{"a", torch::ones({4'000'000})}};
  // A limit on file sizes fails the write in the middle of a record.
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = 1'000'000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  try {
    write_state_dict(folder / "model.pth", tensors);
    ADD_FAILURE() << "no Error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("model.pth"));
  }
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(std::filesystem::exists(folder / "model.pth"));
}

TEST(Pth, RefusesToWriteWhatItCouldNotReadBack) {
  const TemporaryFolder folder;
  const auto message = [&](const c10::IValue& value) -> std::string {
    try {
      write_pth(folder / "bad.pth", value);
    } catch (const Error& error) {
      return error.what();
    }
    return "no Error";
  };
  EXPECT_THAT(message(torch::ones({2}).to(torch::kComplexFloat)), HasSubstr("cannot hold a tensor of type"));
  EXPECT_THAT(message(torch::ones({2, 2}).to_sparse()), HasSubstr("cannot hold a tensor of type"));
  EXPECT_THAT(message(torch::Tensor()), HasSubstr("cannot hold a tensor that is undefined"));
  EXPECT_THAT(message(c10::Device(c10::kCPU)), HasSubstr("cannot hold a value of type Device"));
  c10::impl::GenericDict dict(c10::IntType::get(), c10::AnyType::get());
  dict.insert(std::int64_t{1}, 1);
  EXPECT_THAT(message(dict), HasSubstr("a dict's key is not a string"));
  EXPECT_FALSE(std::filesystem::exists(folder / "bad.pth"));
}

}  // namespace
}  // namespace relic
