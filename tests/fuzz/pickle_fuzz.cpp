// The reader of pickles: the input is the data.pkl of an archive whose checksums are right.
#include "fuzz/harness.h"
#include "fuzz/look_at_pth.h"
#include "support/temporary_folder.h"

void relic::testing::try_input(std::string_view input) {
  static const TemporaryFolder folder;
  spit(folder / "input.pth", archive_of(input));
  only_errors([&] { look_at_pth(folder / "input.pth"); });
}
