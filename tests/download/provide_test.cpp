// What is fetched when, by whom, and from where.
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "download/download_test.h"

namespace relic::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Providing : public Download {
 protected:
  LoopbackServer server_{[](const Request& request, std::size_t, Connection& connection) {
    ServedFile{small_archive()}.answer(request, connection);
  }};
};

/// The same without a thread, so that a process may fork.
using ProvidingFromAFile = Download;

TEST_F(Providing, AFolderThatIsThereIsTakenAsItIs) {
  spit(folder_ / "small/names.txt", "mine");
  options_.allowed = false;
  provide(server_.url());
  EXPECT_EQ(slurp(folder_ / "small/names.txt"), "mine");
  EXPECT_THAT(server_.requests(), IsEmpty());
  EXPECT_THAT(folder_.names(), ElementsAre("small"));
}

TEST_F(Providing, IsForbiddenByNoDownload) {
  options_.allowed = false;
  EXPECT_THAT(failure(server_.url()), AllOf(HasSubstr("no Small in " + (folder_ / "small").string()),
                                            HasSubstr("--no_download forbids fetching it"), HasSubstr(server_.url())));
  EXPECT_THAT(server_.requests(), IsEmpty());
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Providing, MakesTheFolderOfDataSets) {
  const ArchiveSource source{.title = "Small", .url = server_.url(), .folder = "small"};
  provide_archive(folder_ / "a/b", source, options_);
  EXPECT_EQ(slurp(folder_ / "a/b/small/names.txt"), "cat\ndog\n");
}

TEST_F(Providing, SomethingElseOfThatNameIsTold) {
  spit(folder_ / "small", "a file");
  EXPECT_THAT(failure(server_.url()), HasSubstr((folder_ / "small").string() + ": is there, but is no folder"));
  std::filesystem::remove(folder_ / "small");
  std::filesystem::create_symlink("nowhere", folder_ / "small");
  EXPECT_THAT(failure(server_.url()), HasSubstr("is no folder"));
}

TEST_F(Providing, AnotherAddressIsTakenUncheckedAndTheLogSaysSo) {
  const ArchiveSource source{.title = "Small",
                             .url = "http://127.0.0.1:1/small.tar.gz",
                             .md5 = md5sum("the official file"),
                             .bytes = 17,
                             .unpacked_bytes = 4'000'000'000'000'000'000,
                             .folder = "small"};
  options_.url = server_.url();
  provide(source);
  expect_small();
  EXPECT_THAT(said(), AllOf(HasSubstr(server_.url()), HasSubstr("unchecked")));
}

TEST_F(Providing, AnotherAddressWithAChecksumIsChecked) {
  const ArchiveSource source{.title = "Small", .url = "http://127.0.0.1:1/small.tar.gz", .folder = "small"};
  options_.url = server_.url();
  options_.md5 = md5sum("another file");
  EXPECT_THAT(message_of<Error>([&] { provide(source); }), HasSubstr(options_.md5 + " is expected"));
  options_.md5 = md5sum(small_archive());
  for (char& c : options_.md5) c = static_cast<char>(std::toupper(c));
  provide(source);
  expect_small();
  EXPECT_THAT(said(), Not(HasSubstr("unchecked")));
}

TEST_F(Providing, WhatIsNoAddressOrChecksumIsAUsageError) {
  options_.url = "/mnt/small.tar.gz";
  EXPECT_THAT(
      failure<UsageError>(server_.url()),
      HasSubstr("--dataset_url /mnt/small.tar.gz: not an address that begins with http://, https:// or file://"));
  options_.url = "ftp://127.0.0.1/small.tar.gz";
  EXPECT_THAT(failure<UsageError>(server_.url()), HasSubstr("--dataset_url ftp://"));
  options_.url.clear();
  options_.md5 = "c32a1d4ab5d03f1284b67883e8d8753";
  EXPECT_THAT(failure<UsageError>(server_.url()), HasSubstr("--dataset_md5 c32a"));
  options_.md5 = "c32a1d4ab5d03f1284b67883e8d8753x";
  EXPECT_THAT(failure<UsageError>(server_.url()), HasSubstr("32 hexadecimal digits"));
}

TEST_F(Providing, WhatAKilledProcessLeftIsRemoved) {
  spit(folder_ / "small.relic-unpacking/small/half.bin", "half");
  spit(folder_ / "small.relic-lock", "process 1 on nowhere");
  spit(folder_ / "small.relic-part", "a part of nobody knows what");
  provide(server_.url());
  expect_small();
  EXPECT_EQ(server_.requests()[0].first_byte(), 0U);
}

TEST_F(ProvidingFromAFile, ReadsItWhereItIs) {
  const TemporaryFolder elsewhere;
  spit(elsewhere / "my data 100%.tgz", small_archive());
  md5_ = md5sum(small_archive());
  provide("file://" + elsewhere.path().string() + "/my%20data%20100%25.tgz");
  expect_small();
  EXPECT_TRUE(slurp(elsewhere / "my data 100%.tgz") == small_archive());
}

TEST_F(ProvidingFromAFile, AnAbsentOrWrongFileIsToldAndStays) {
  const TemporaryFolder elsewhere;
  const std::string file = (elsewhere / "small.tgz").string();
  EXPECT_THAT(failure("file://" + file), HasSubstr("there is no file " + file));
  spit(file, small_archive());
  md5_ = md5sum("another file");
  EXPECT_THAT(failure("file://" + file),
              AllOf(HasSubstr(file), HasSubstr(md5_), HasSubstr("name another file with --dataset_url")));
  const ArchiveSource source{.title = "Small", .url = "file://" + file, .bytes = 17, .folder = "small"};
  EXPECT_THAT(message_of<Error>([&] { provide(source); }),
              HasSubstr(file + ": the archive has " + std::to_string(small_archive().size()) + " bytes, where 17 are"));
  EXPECT_THAT(elsewhere.names(), ElementsAre("small.tgz"));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

/// One that says nothing for as long as it holds the lock, until it is told to go on.
class OtherProcess {
 public:
  OtherProcess(const std::filesystem::path& folder, const ArchiveSource& source) {
    std::array<int, 2> begun{};
    std::array<int, 2> release{};
    if (::pipe(begun.data()) != 0 || ::pipe(release.data()) != 0) throw std::runtime_error("pipe");
    process_ = ::fork();
    if (process_ == 0) {
      DownloadOptions options;
      options.log = [&, waited = false](const std::string&) mutable {
        char byte = 0;
        if (std::exchange(waited, true)) return;
        if (::write(begun[1], "x", 1) != 1 || ::read(release[0], &byte, 1) != 1) ::_exit(2);
      };
      try {
        provide_archive(folder, source, options);
        ::_exit(0);
      } catch (...) {
        ::_exit(1);
      }
    }
    char byte = 0;
    if (::read(begun[0], &byte, 1) != 1) throw std::runtime_error("read");
    release_ = release[1];
    for (const int end : {begun[0], begun[1], release[0]}) ::close(end);
  }
  ~OtherProcess() {
    release();
    if (process_ > 0) ::waitpid(process_, nullptr, 0);
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  [[nodiscard]] pid_t number() const { return process_; }
  void release() {
    if (release_ < 0) return;
    EXPECT_EQ(::write(release_, "x", 1), 1);
    ::close(std::exchange(release_, -1));
  }
  int exit_status() {
    int status = 0;
    ::waitpid(std::exchange(process_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t process_ = -1;
  int release_ = -1;
};

TEST_F(ProvidingFromAFile, ASecondProcessSaysForWhomItWaitsAndTakesWhatThatBrought) {
  const TemporaryFolder elsewhere;
  spit(elsewhere / "small.tgz", small_archive());
  const ArchiveSource source{
      .title = "Small", .url = "file://" + (elsewhere / "small.tgz").string(), .folder = "small"};
  OtherProcess other(folder_.path(), source);
  options_.log = [&](const std::string& line) {
    log_.push_back(line);
    other.release();
  };
  const std::string number = std::to_string(other.number());
  provide(source);
  EXPECT_EQ(other.exit_status(), 0);
  expect_small();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("waiting for process " + number + " on ")));
}

TEST_F(ProvidingFromAFile, StopsWhileItWaitsForAnotherProcess) {
  const TemporaryFolder elsewhere;
  spit(elsewhere / "small.tgz", small_archive());
  const ArchiveSource source{
      .title = "Small", .url = "file://" + (elsewhere / "small.tgz").string(), .folder = "small"};
  OtherProcess other(folder_.path(), source);
  options_.stop = [&] { return said().find("waiting for process") != std::string::npos; };
  EXPECT_THROW(provide(source), Interrupted);
  other.release();
  EXPECT_EQ(other.exit_status(), 0);
  expect_small();
}

TEST(OfficialArchives, AreThoseThatCanBeHadFreely) {
  const ArchiveSource* cifar = official_archive("cifar10");
  ASSERT_NE(cifar, nullptr);
  EXPECT_EQ(cifar->md5, "c32a1d4ab5d03f1284b67883e8d87530");
  EXPECT_EQ(cifar->folder, "cifar-10-batches-bin");
  ASSERT_NE(official_archive("stl10"), nullptr);
  EXPECT_EQ(official_archive("stl10")->md5, "91f7769df0f17e558f3565bffb0c7dfb");
  ASSERT_NE(official_archive("tiny_imagenet"), nullptr);
  EXPECT_EQ(official_archive("tiny_imagenet")->bytes, 248100043U);
  ASSERT_NE(official_archive("food101"), nullptr);
  EXPECT_EQ(official_archive("food101")->bytes, 4996278331U);
  EXPECT_EQ(official_archive("imagenet1k"), nullptr);
  EXPECT_EQ(official_archive("shapes"), nullptr);
}

}  // namespace
}  // namespace relic::testing
