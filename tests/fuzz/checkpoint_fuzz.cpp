// The reader of checkpoints: the input is the data.pkl of an archive whose checksums are right.
#include "fuzz/harness.h"
#include "fuzz/look_at_pth.h"
#include "relic/run/checkpoint.h"
#include "support/temporary_folder.h"

void relic::testing::try_input(std::string_view input) {
  static const TemporaryFolder folder;
  spit(folder / "checkpoint.pth", archive_of(input));
  only_errors([&] {
    const Checkpoint checkpoint = read_checkpoint(folder / "checkpoint.pth");
    for (const auto& tensors : {checkpoint.model, checkpoint.first_moments, checkpoint.second_moments,
                                checkpoint.optimizer_steps, checkpoint.scaler}) {
      look_at(tensors);
    }
  });
}
