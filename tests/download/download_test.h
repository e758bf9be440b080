// What the tests of downloads share: a data set "small", a folder for it, and what was said.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "download/archives.h"
#include "download/loopback_server.h"
#include "relic/core/error.h"
#include "relic/data/download.h"
#include "support/temporary_folder.h"

namespace relic::testing {

/// By the coreutils' program.
inline std::string md5sum(const std::string& contents) {
  const TemporaryFolder folder;
  spit(folder / "file", contents);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("md5sum " + (folder / "file").string()).c_str(), "r"),
                                                   ::pclose);
  std::array<char, 33> text{};
  if (!pipe || std::fgets(text.data(), text.size(), pipe.get()) == nullptr) return "no md5sum";
  return text.data();
}

class Download : public ::testing::Test {
 protected:
  static std::vector<Entry> small_entries(unsigned seed) {
    return {{"small/", "", EntryKind::folder, 0755},
            {"small/images.bin", noise(200000, seed)},
            {"small/names.txt", "cat\ndog\n"}};
  }
  static std::string small_archive(unsigned seed = 1) { return make_archive(small_entries(seed)); }

  void provide(const ArchiveSource& source) { provide_archive(folder_.path(), source, options_); }
  void provide(const std::string& url) {
    provide(ArchiveSource{.title = "Small", .url = url, .md5 = md5_, .folder = "small"});
  }
  template <class Exception = Error>
  std::string failure(const std::string& url) {
    std::string message = message_of<Exception>([&] { provide(url); });
    EXPECT_THAT(message, ::testing::Not(::testing::HasSubstr("\n")));
    return message;
  }

  void expect_small(unsigned seed = 1) {
    EXPECT_THAT(folder_.names(), ::testing::ElementsAre("small"));
    EXPECT_EQ(slurp(folder_ / "small/names.txt"), "cat\ndog\n");
    EXPECT_TRUE(slurp(folder_ / "small/images.bin") == noise(200000, seed));
  }
  std::filesystem::path part() const { return folder_ / "small.relic-part"; }
  /// All lines that were logged.
  std::string said() const {
    std::string text;
    for (const std::string& line : log_) text += line + "\n";
    return text;
  }

  TemporaryFolder folder_;
  std::string md5_;
  std::vector<std::string> log_;
  DownloadOptions options_{.patience = {.attempts = 4,
                                        .first_pause = std::chrono::milliseconds(1),
                                        .longest_pause = std::chrono::milliseconds(4),
                                        .longest_silence = std::chrono::seconds(60)},
                           .log = [this](const std::string& line) { log_.push_back(line); }};
};

}  // namespace relic::testing
