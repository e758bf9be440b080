#include "relic/formats/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstring>
#include <string>

#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::slurp;
using testing::TemporaryFolder;

/// What numpy.save writes before the data: the header that numpy 2 gives, filled up with blanks.
std::string numpy_header(const std::string& dictionary) {
  std::string text = dictionary;
  text.resize(117, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + text + "\n";
}

TEST(Npy, IsWhatNumpyWrites) {
  const TemporaryFolder folder;
  const auto x = torch::tensor({1.5F, -2.0F, 3.0F, 4.0F, 5.0F, 6.0F}).view({2, 3});
  write_npy(folder / "x.npy", x);
  std::string data(24, '\0');
  std::memcpy(data.data(), x.data_ptr<float>(), 24);
  EXPECT_EQ(slurp(folder / "x.npy"),
            numpy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }") + data);
  write_npy(folder / "transposed.npy", x.t());
  std::memcpy(data.data(), x.t().contiguous().data_ptr<float>(), 24);
  EXPECT_EQ(slurp(folder / "transposed.npy"),
            numpy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }") + data);
  write_npy(folder / "labels.npy", torch::tensor({7, -1}, torch::kLong));
  EXPECT_EQ(slurp(folder / "labels.npy"), numpy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }") +
                                              std::string("\x07\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16));
}

TEST(Npy, RefusesATypeThatNumpyLacks) {
  const TemporaryFolder folder;
  EXPECT_THAT(testing::message_of<Error>([&] { write_npy(folder / "x.npy", torch::zeros({2}, torch::kBFloat16)); }),
              ::testing::HasSubstr("x.npy: a .npy file is not written of a tensor of type "));
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace relic
