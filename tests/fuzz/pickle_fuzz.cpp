// The reader of pickles: the input is the data.pkl of an archive whose checksums are right.
#include "formats/archives.h"
#include "fuzz/harness.h"
#include "fuzz/look_at_pth.h"
#include "support/temporary_folder.h"

void relic::testing::try_input(std::string_view input) {
  static const TemporaryFolder folder;
  const std::string data(48, '\1');
  spit(folder / "input.pth", make_archive({{"data.pkl", std::string(input)},
                                           {"data/0", data},
                                           {"data/1", data},
                                           {"data/2", data},
                                           {"data/3", data},
                                           {"data/4", ""}}));
  only_errors([&] { look_at_pth(folder / "input.pth"); });
}
