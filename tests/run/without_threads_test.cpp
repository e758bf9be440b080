// Saving where the system gives no further thread.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>

#include "relic/core/log.h"
#include "relic/run/checkpoint.h"
#include "relic/run/checkpoint_writer.h"
#include "relic/run/run_directory.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

enum Ending : int { saved, no_other_user, threads_all_the_same, not_saved };

/// Root is not bound by the limit, so it becomes nobody.
Ending save_without_threads(const RunDirectory& run) {
  constexpr uid_t nobody = 65534;
  if (::getuid() == 0 && ::setuid(nobody) != 0) return no_other_user;
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_NPROC, &none);
  try {
    std::thread([] {}).join();
    return threads_all_the_same;
  } catch (const std::system_error&) {  // as it should be
  }
  try {
    auto checkpoint = std::make_shared<Checkpoint>();
    checkpoint->progress.step = 7;
    Log log(LogLevel::error);
    CheckpointWriter writer(run, 2, log);
    writer.save(checkpoint);
    return writer.written_step() == 7 ? saved : not_saved;
  } catch (const std::exception&) {
    return not_saved;
  }
}

TEST(CheckpointWriter, WritesByItselfWhereNoThreadIsToBeHad) {
  testing::TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  run.create();
  for (const auto& open : {folder.path(), run.folder()}) {
    std::filesystem::permissions(open, std::filesystem::perms::all);
  }
  const pid_t child = ::fork();
  if (child == 0) ::_exit(save_without_threads(run));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), saved);
  EXPECT_EQ(read_checkpoint(run.checkpoint()).progress.step, 7);
}

}  // namespace
}  // namespace relic
