// The built program as a child process, and what it works on.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "relic/core/random.h"
#include "support/bmp.h"
#include "support/temporary_folder.h"

namespace relic::testing {

struct Outcome {
  int status = -1;  ///< -1: it did not end by itself
  int signal = 0;   ///< that ended it
  std::string out;
  std::string err;
};

/// The program, or another one, as a child process, its output in files; `prepare` runs in the child before it.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, const std::filesystem::path& folder, void (*prepare)() = nullptr,
        const std::string& program = RELIC_TRAIN_PROGRAM)
      : out_(folder / "out.txt"), err_(folder / "err.txt") {
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    spit(out_, "");  // so that nobody takes an earlier child's lines for this one's
    spit(err_, "");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
      ::dup2(::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
      if (prepare != nullptr) prepare();
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }

  void wait_for_line(const std::string& text) const {
    for (int i = 0; i < 1200 && slurp(out_).find(text) == std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  void send(int signal) const { ::kill(pid_, signal); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Outcome outcome() const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0, slurp(out_),
            slurp(err_)};
  }

 private:
  std::filesystem::path out_;
  std::filesystem::path err_;
  pid_t pid_ = -1;
};

/// Takes from root, for good, the right to write everywhere, so that permissions bind it as anybody else.
inline void obey_permissions() { ::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE); }

/// A CIFAR-10 of twenty images in a folder of the test's own.
class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    const auto records = [](std::uint64_t first, int count) {
      std::string bytes;
      for (int i = 0; i < count; ++i) {
        bytes += static_cast<char>(i % 10);
        for (std::uint64_t j = 0; j < 3072; ++j) {
          bytes += static_cast<char>(splitmix64((first + static_cast<std::uint64_t>(i)) * 4096 + j));
        }
      }
      return bytes;
    };
    const auto folder = folder_ / "data/cifar-10-batches-bin";
    for (int batch = 1; batch <= 5; ++batch) {
      spit(folder / ("data_batch_" + std::to_string(batch) + ".bin"),
           records(static_cast<std::uint64_t>(batch) * 4, 4));
    }
    spit(folder / "test_batch.bin", records(100, 10));
    spit(folder / "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
  }

  std::vector<std::string> arguments(std::vector<std::string> more) {
    std::vector<std::string> all{"--dataset_name",
                                 "cifar10",
                                 "--dataset_path",
                                 (folder_ / "data").string(),
                                 "-save_model_dir",
                                 (folder_ / "run").string(),
                                 "--device",
                                 "cpu",
                                 "--num_threads",
                                 "1",
                                 "-b4",
                                 "--num_local_views",
                                 "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome train(const std::vector<std::string>& more, void (*prepare)() = nullptr) {
    return Child(arguments(more), folder_.path(), prepare).outcome();
  }
  /// By what the run recorded.
  Outcome run_recorded(std::vector<std::string> more) {
    more.insert(more.end(), {"-save_model_dir", (folder_ / "run").string()});
    return Child(more, folder_.path()).outcome();
  }
  std::string file(const std::string& name) { return slurp(folder_ / ("run/" + name)); }

  TemporaryFolder folder_;
};

inline std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Rows of metrics.csv that are of a step: they alone end with a rate, as the heading does.
inline std::size_t count_steps(const std::string& metrics) {
  std::size_t rows = 0;
  for (std::size_t end = metrics.find('\n'); end != std::string::npos; end = metrics.find('\n', end + 1)) {
    rows += end > 0 && metrics[end - 1] != ',' ? 1 : 0;
  }
  return rows - (rows > 0 ? 1 : 0);
}

/// And a folder for images of one's own.
class FolderProgramTest : public ProgramTest {
 protected:
  void put(const std::string& folder, int count) {
    for (int i = 0; i < count; ++i) {
      const auto shade = static_cast<std::uint8_t>(20 * i);
      spit(folder_ / "images" / folder / (std::to_string(i) + ".bmp"),
           bmp(40 + i, 30, {shade, 100, static_cast<std::uint8_t>(255 - shade)}));
    }
  }
  Outcome run_folder(std::vector<std::string> more) {
    std::vector<std::string> all{"--dataset_name", "folder", "--dataset_path", (folder_ / "images").string(),
                                 "--image_size",   "24"};
    all.insert(all.end(), more.begin(), more.end());
    return train(all);
  }
};

}  // namespace relic::testing
