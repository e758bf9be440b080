#include "fuzz/harness.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

namespace relic::testing {

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << '\n';
  std::abort();
}

}  // namespace relic::testing

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  relic::testing::try_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
