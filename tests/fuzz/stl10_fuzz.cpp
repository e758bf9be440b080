// The reader of STL-10's files.
#include "fuzz/dataset_files.h"
#include "fuzz/harness.h"
#include "support/temporary_folder.h"

void relic::testing::try_input(std::string_view input) {
  static const TemporaryFolder folder;
  DatasetRequest request = make_dataset_files(
      input, folder / "stl10_binary",
      {"class_names.txt", "test_y.bin", "test_X.bin", "train_y.bin", "train_X.bin", "unlabeled_X.bin"});
  request.name = "stl10";
  request.path = folder.path();
  only_errors([&] { look_at_dataset(request); });
}
