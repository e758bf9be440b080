// The reader of CIFAR-10's files.
#include "fuzz/dataset_files.h"
#include "fuzz/harness.h"
#include "support/temporary_folder.h"

void relic::testing::try_input(std::string_view input) {
  static const TemporaryFolder folder;
  DatasetRequest request =
      make_dataset_files(input, folder / "cifar-10-batches-bin",
                         {"batches.meta.txt", "test_batch.bin", "data_batch_1.bin", "data_batch_2.bin",
                          "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"});
  request.name = "cifar10";
  request.path = folder.path();
  only_errors([&] { look_at_dataset(request); });
}
