#include "relic/run/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "core/failing_calls.h"
#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/core/log.h"
#include "relic/run/checkpoint_writer.h"
#include "support/temporary_folder.h"

namespace relic {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

TEST(RunDirectory, IsFreeUntilItHoldsAFileOfARun) {
  TemporaryFolder folder;
  const RunDirectory run(folder / "new");
  EXPECT_FALSE(run.exists());
  EXPECT_NO_THROW(run.require_free());
  run.create();
  EXPECT_TRUE(run.exists());
  write_file(folder / "new/notes.txt", "mine");
  write_file(run.log(), "");  // there is nothing to lose of it
  EXPECT_NO_THROW(run.require_free());
  write_file(run.checkpoint(), "a run");
  EXPECT_THAT(message_of<UsageError>([&] { run.require_free(); }),
              HasSubstr("holds a run already; --resume goes on with it, --overwrite starts anew in its place"));
}

TEST(RunDirectory, FilesWithoutACheckpointAreNeitherResumedNorWrittenOver) {
  TemporaryFolder folder;
  const RunDirectory run(folder.path());
  EXPECT_NO_THROW(run.require_checkpoint_or_nothing());
  write_file(run.log(), "somebody's");
  const std::string folder_name = folder.path().string();
  EXPECT_THAT(message_of<UsageError>([&] { run.require_free(); }),
              HasSubstr("-save_model_dir " + folder_name + ": holds files of a run already (train.log), but no " +
                        "checkpoint.pth to go on from; --overwrite starts anew in their place"));
  EXPECT_THAT(message_of<UsageError>([&] { run.require_checkpoint_or_nothing(); }),
              HasSubstr("--resume: " + folder_name + " holds files of a run (train.log), but no checkpoint.pth to go " +
                        "on from; --overwrite starts anew in their place"));
  write_file(run.model(), "the original's");
  EXPECT_THAT(message_of<UsageError>([&] { run.require_checkpoint_or_nothing(); }),
              HasSubstr("--ckpt_path " + run.model().string() + " --overwrite starts a new run from these weights"));
  write_file(run.checkpoint(), "a run");
  EXPECT_NO_THROW(run.require_checkpoint_or_nothing());
}

TEST(RunDirectory, IsNotFreeForAnyFileOfARunThatANewOneWouldRemove) {
  for (const char* name : {"encoder_best.pth", "scores.json", "bad_images.txt", "not_finite.txt", "probe.json",
                           "checkpoint.pth.damaged", "relic_model.pth.later-2"}) {
    TemporaryFolder folder;
    const RunDirectory run(folder.path());
    write_file(folder / name, "kept");
    EXPECT_THAT(message_of<UsageError>([&] { run.require_free(); }), HasSubstr(name));
    EXPECT_THAT(message_of<UsageError>([&] { run.require_checkpoint_or_nothing(); }), HasSubstr(name));
  }
}

TEST(RunDirectory, NeedsAPlaceThatCanBeWrittenTo) {
  TemporaryFolder folder;
  EXPECT_NO_THROW(RunDirectory(folder / "not/made/yet").require_place());
  write_file(folder / "file", "");
  EXPECT_THAT(message_of<UsageError>([&] { RunDirectory(folder / "file/run").require_place(); }),
              HasSubstr("file/run: cannot be written to, for " + (folder / "file").string() + ": Not a directory"));
  EXPECT_THAT(message_of<UsageError>([&] { RunDirectory("/proc/self/nowhere").require_place(); }),
              AllOf(HasSubstr("cannot be written to, for /proc/self"), HasSubstr("name another folder")));
}

TEST(RunDirectory, RemovesWhatSavesThatWereCutOffLeftAndNothingElse) {
  TemporaryFolder folder;
  write_file(folder / ".relic-tmp-17-0", "half");
  write_file(folder / "notes.txt", "mine");
  RunDirectory(folder.path()).remove_leftovers();
  EXPECT_THAT(folder.names(), ::testing::ElementsAre("notes.txt"));
}

TEST(RunDirectory, AFileInItsPlaceIsAnErrorThatNamesIt) {
  TemporaryFolder folder;
  write_file(folder / "file", "");
  const RunDirectory run(folder / "file");
  const std::string message = "-save_model_dir " + run.folder().string() + ": not a folder; name another one";
  EXPECT_EQ(testing::message_of<UsageError>([&] { run.create(); }), message);
  EXPECT_EQ(testing::message_of<UsageError>([&] { run.require_folder(); }), message);
  EXPECT_THAT(testing::message_of<UsageError>([&] { RunDirectory(folder / "file/below").create(); }),
              ::testing::HasSubstr("file/below: cannot be made: Not a directory"));
  RunDirectory(folder / "absent").require_folder();
}

TEST(CheckpointWriter, TheThirdFailureInARowStops) {
  TemporaryFolder folder;
  Log log(LogLevel::error);
  CheckpointWriter writer(RunDirectory(folder / "absent"), 2, log);
  const auto checkpoint = std::make_shared<const Checkpoint>();
  writer.save(checkpoint);
  writer.save(checkpoint);
  writer.save(checkpoint);
  EXPECT_THAT(message_of<Error>([&] { writer.save(checkpoint); }),
              AllOf(HasSubstr("saving failed 3 times in a row"),
                    HasSubstr("is kept, --resume goes on from it once that is mended")));
}

TEST(CheckpointWriter, AFailureIsToldAsSoonAsTheWriteHasEnded) {
  TemporaryFolder folder;
  Log log(LogLevel::error);
  log.open_file(folder / "log");
  CheckpointWriter writer(RunDirectory(folder / "absent"), 2, log);
  writer.save(std::make_shared<const Checkpoint>());
  for (int i = 0; i < 2000 && std::filesystem::file_size(folder / "log") == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    writer.poll();
  }
  EXPECT_THAT(read_file(folder / "log"), HasSubstr("cannot save"));
}

TEST(CheckpointWriter, ASuccessForgivesTheFailureBefore) {
  TemporaryFolder folder;
  Log log(LogLevel::error);
  CheckpointWriter writer(RunDirectory(folder / "late"), 2, log);
  const auto checkpoint = std::make_shared<const Checkpoint>();
  writer.save(checkpoint);
  EXPECT_THAT(message_of<Error>([&] { writer.finish(); }),
              AllOf(HasSubstr("the last save failed: "),
                    HasSubstr("; the checkpoint before is kept, --resume goes on from it once that is mended")));
  RunDirectory(folder / "late").create();
  writer.save(checkpoint);
  EXPECT_NO_THROW(writer.finish());
  EXPECT_EQ(read_checkpoint(folder / "late/checkpoint.pth").progress.step, 0);
}

TEST(CheckpointWriter, KnowsTheStepThatLiesThereFromTheOneItFailedToWrite) {
  TemporaryFolder folder;
  Log log(LogLevel::error);
  const auto of_step = [](std::int64_t step) {
    auto checkpoint = std::make_shared<Checkpoint>();
    checkpoint->progress.step = step;
    return checkpoint;
  };
  const RunDirectory run(folder / "run");
  run.create();
  CheckpointWriter writer(run, 2, log);
  EXPECT_FALSE(writer.written_step());
  writer.save(of_step(7));
  EXPECT_EQ(writer.written_step(), 7);
  std::filesystem::rename(folder / "run", folder / "away");
  writer.save(of_step(8));
  EXPECT_EQ(writer.written_step(), 7);
}

TEST(CheckpointWriter, KeepsEachUnderItsOwnStepWhereTheFolderCannotBeSynced) {
  TemporaryFolder folder;
  Log log(LogLevel::error);
  const RunDirectory run(folder / "run");
  run.create();
  CheckpointWriter writer(run, 3, log);
  for (const std::int64_t step : {0, 1, 2}) {
    auto checkpoint = std::make_shared<Checkpoint>();
    checkpoint->progress.step = step;
    std::optional<testing::FailingCall> failing;
    if (step == 1) {
      failing.emplace(testing::Call::fsync, 2, EIO);
    }
    writer.save(checkpoint);
    EXPECT_EQ(writer.written_step(), step);
  }
  EXPECT_THAT(run.kept_steps(), ::testing::ElementsAre(1, 0));
  EXPECT_EQ(read_checkpoint(run.checkpoint_of(0)).progress.step, 0);
  EXPECT_EQ(read_checkpoint(run.checkpoint_of(1)).progress.step, 1);
  EXPECT_EQ(read_checkpoint(run.checkpoint()).progress.step, 2);
}

}  // namespace relic
