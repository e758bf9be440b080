#include "relic/train/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/core/log.h"
#include "relic/train/checkpoint_writer.h"
#include "support/temporary_folder.h"

namespace relic {

using testing::TemporaryFolder;

TEST(RunDirectory, IsFreeUntilItHoldsAFileOfARun) {
  TemporaryFolder folder;
  const RunDirectory run(folder / "new");
  EXPECT_NO_THROW(run.require_free());
  run.create();
  write_file(folder / "new/notes.txt", "mine");
  EXPECT_NO_THROW(run.require_free());
  write_file(run.model(), "the original's");
  try {
    run.require_free();
    FAIL() << "no error";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--resume"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--overwrite"));
  }
  EXPECT_TRUE(run.holds_weights_only());
  run.remove_run();
  EXPECT_NO_THROW(run.require_free());
  EXPECT_EQ(read_file(folder / "new/notes.txt"), "mine");
}

TEST(RunDirectory, AFileInItsPlaceIsAnErrorThatNamesIt) {
  TemporaryFolder folder;
  write_file(folder / "file", "");
  try {
    RunDirectory(folder / "file").create();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr((folder / "file").string()));
  }
}

TEST(CheckpointWriter, TheThirdFailureInARowStops) {
  TemporaryFolder folder;
  Log log(LogLevel::error);
  CheckpointWriter writer(RunDirectory(folder / "absent"), log);
  const auto checkpoint = std::make_shared<const Checkpoint>();
  writer.save(checkpoint);
  writer.save(checkpoint);
  writer.save(checkpoint);
  EXPECT_THROW(writer.save(checkpoint), Error);
  EXPECT_THROW(writer.finish(), Error);
}

TEST(CheckpointWriter, ASuccessForgivesTheFailureBefore) {
  TemporaryFolder folder;
  Log log(LogLevel::error);
  CheckpointWriter writer(RunDirectory(folder / "late"), log);
  const auto checkpoint = std::make_shared<const Checkpoint>();
  writer.save(checkpoint);
  EXPECT_THROW(writer.finish(), Error);
  RunDirectory(folder / "late").create();
  writer.save(checkpoint);
  EXPECT_NO_THROW(writer.finish());
  EXPECT_EQ(read_checkpoint(folder / "late/checkpoint.pth").progress.step, 0);
}

}  // namespace relic
