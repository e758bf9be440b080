// The reader of .pth files: the input is the file. Where all checksums in its directory are 0, as in one of the first
// inputs, none is compared, so that a mutation gets past them to what they protect.
#include "fuzz/harness.h"
#include "fuzz/look_at_pth.h"
#include "support/temporary_folder.h"

void relic::testing::try_input(std::string_view input) {
  static const TemporaryFolder folder;
  spit(folder / "input.pth", std::string(input));
  only_errors([&] { look_at_pth(folder / "input.pth"); });
}
