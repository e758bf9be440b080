// Transfers that are cut, stall, go on, and begin anew.
#include <algorithm>
#include <atomic>

#include "core/failing_calls.h"
#include "download/download_test.h"

namespace relic::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

using Fetching = Download;

/// The first so many requests are cut at `cut_at`, all others get the whole.
LoopbackServer::Answer cut_first(const ServedFile& file, std::size_t cut_at, std::size_t requests = 1) {
  return [=](const Request& request, std::size_t number, Connection& connection) {
    ServedFile now = file;
    if (number < requests) now.cut_at = cut_at;
    now.answer(request, connection);
  };
}

LoopbackServer::Answer always(const ServedFile& file) { return cut_first(file, 0, 0); }

TEST_F(Fetching, BringsUnpacksAndLeavesNothingElse) {
  const std::string archive = small_archive();
  const LoopbackServer server(always({archive}));
  md5_ = md5sum(archive);
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests()[0].path, "/small.tar.gz");
}

TEST_F(Fetching, GoesOnWhereATransferWasCut) {
  const std::string archive = small_archive();
  const LoopbackServer server(cut_first({.contents = archive, .etag = "\"one\""}, 70000));
  md5_ = md5sum(archive);
  provide(server.url());
  expect_small();
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_THAT(server.requests()[1].headers,
              AllOf(Contains(Pair("range", "bytes=70000-")), Contains(Pair("if-range", "\"one\""))));
  EXPECT_THAT(said(), HasSubstr("going on at 70.0 KB of"));
}

TEST_F(Fetching, GoesOnAfterManyCutsThatEachBroughtSomething) {
  const ServedFile file{.contents = small_archive(), .etag = "\"one\""};
  const LoopbackServer server([&](const Request& request, std::size_t number, Connection& connection) {
    ServedFile now = file;
    now.cut_at = 20000 * (number + 1);
    now.answer(request, connection);
  });
  provide(server.url());
  expect_small();
  EXPECT_GT(server.requests().size(), 4U);  // more than the attempts that may be in vain
}

TEST_F(Fetching, StopsSoonAndGoesOnInTheNextCall) {
  const ServedFile file{.contents = small_archive(), .etag = "\"one\""};
  const LoopbackServer server([&](const Request& request, std::size_t number, Connection& connection) {
    ServedFile now = file;
    if (number == 0) now.cut_at = 90000;
    now.answer(request, connection);
    if (number == 0) connection.stall();
  });
  options_.stop = [&] {
    std::error_code absent;
    const auto size = std::filesystem::file_size(part(), absent);
    return !absent && size == 90000;
  };
  EXPECT_THROW(provide(server.url()), Interrupted);
  EXPECT_EQ(std::filesystem::file_size(part()), 90000U);
  options_.stop = nullptr;
  provide(server.url());
  expect_small();
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[1].first_byte(), 90000U);
}

TEST_F(Fetching, StopsInThePauseBetweenTwoAttempts) {
  const LoopbackServer server(
      [](const Request&, std::size_t, Connection& connection) { connection.send(reply("503 Busy")); });
  options_.patience.first_pause = options_.patience.longest_pause = std::chrono::hours(1);
  options_.stop = [&] { return said().find("trying again") != std::string::npos; };
  EXPECT_THROW(provide(server.url()), Interrupted);
}

TEST_F(Fetching, GivesUpASilentConnectionAndTriesAgain) {
  const ServedFile file{.contents = small_archive(), .etag = "\"one\""};
  const LoopbackServer server([&](const Request& request, std::size_t number, Connection& connection) {
    ServedFile now = file;
    if (number == 0) now.cut_at = 50000;
    now.answer(request, connection);
    if (number == 0) connection.stall();
  });
  options_.patience.longest_silence = std::chrono::milliseconds(200);
  options_.patience.attempts = 50;
  provide(server.url());
  expect_small();
  EXPECT_THAT(said(), HasSubstr("nothing came for 0.2 s"));
}

TEST_F(Fetching, BeginsAnewWhereTheServerKnowsNoRanges) {
  const std::string archive = small_archive();
  const LoopbackServer server(cut_first({.contents = archive, .knows_ranges = false}, 70000));
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests()[1].first_byte(), 70000U);
  EXPECT_THAT(said(), HasSubstr("beginning anew"));
}

TEST_F(Fetching, EndsWhereATransferBeginsAnewEachTimeAndNeverGetsFurther) {
  const LoopbackServer server(cut_first({.contents = small_archive(), .knows_ranges = false}, 70000, SIZE_MAX));
  EXPECT_THAT(failure(server.url()),
              HasSubstr("(the last of 4 attempts that brought nothing); check the network, try again later"));
  EXPECT_EQ(server.requests().size(), 5U);  // the first one brought something
}

/// The file on the server changes after a first call that was cut.
class ChangedFile : public Download {
 protected:
  void get_second_file(ServedFile first, ServedFile second) {
    first.cut_at = 70000;
    std::atomic<bool> changed = false;
    const LoopbackServer server([&](const Request& request, std::size_t, Connection& connection) {
      (changed ? second : first).answer(request, connection);
    });
    options_.patience.attempts = 1;
    options_.stop = [&] { return said().find("trying again") != std::string::npos; };
    first_call(server.url());
    changed = true;
    options_.stop = nullptr;
    options_.patience.attempts = 4;
    provide(server.url());
    EXPECT_EQ(server.requests().size() > 1 ? server.requests()[1].first_byte() : 0, 70000U);
  }
  void first_call(const std::string& url) {
    EXPECT_THROW(provide(url), Error);
    EXPECT_EQ(std::filesystem::file_size(part()), 70000U);
  }
};

TEST_F(ChangedFile, IsKnownByItsETag) {
  get_second_file({.contents = small_archive(1), .etag = "\"one\""}, {.contents = small_archive(2), .etag = "\"two\""});
  expect_small(2);
}

TEST_F(ChangedFile, IsKnownByItsSizeWhereTheServerSendsNoValidator) {
  auto entries = small_entries(2);
  entries.push_back({"small/more.bin", noise(5000, 9)});
  get_second_file({small_archive(1)}, {make_archive(entries)});
  EXPECT_TRUE(slurp(folder_ / "small/images.bin") == noise(200000, 2));
}

TEST_F(ChangedFile, IsKnownByItsChecksumWhereNothingElseTells) {
  const std::string first = make_archive(small_entries(1), ArchiveKind::tar);
  const std::string second = make_archive(small_entries(2), ArchiveKind::tar);
  ASSERT_EQ(first.size(), second.size());
  md5_ = md5sum(second);
  get_second_file({first}, {second});
  expect_small(2);
  EXPECT_THAT(said(), HasSubstr("perhaps because it came in pieces; beginning anew"));
}

TEST_F(Fetching, APartOfAnotherAddressIsNotUsed) {
  const LoopbackServer server([&](const Request& request, std::size_t number, Connection& connection) {
    ServedFile file{.contents = small_archive(request.path == "/a" ? 1 : 2)};
    if (number == 0) file.cut_at = 70000;
    file.answer(request, connection);
  });
  options_.patience.attempts = 1;
  options_.stop = [&] { return said().find("trying again") != std::string::npos; };
  EXPECT_THROW(provide(server.url("/a")), Error);
  options_.stop = nullptr;
  log_.clear();
  provide(server.url("/b"));
  expect_small(2);
  EXPECT_EQ(server.requests().back().first_byte(), 0U);
}

/// All of the file in chunks, and a connection that ends before the last of them says that it was all: only asking for
/// more tells.
LoopbackServer::Answer endless_then(const std::string& first, const ServedFile& then, const std::string& refusal) {
  return [=](const Request& request, std::size_t number, Connection& connection) {
    if (number == 0) {
      std::array<char, 32> size{};
      std::snprintf(size.data(), size.size(), "%zx\r\n", first.size());
      connection.send(head("200 OK", "Transfer-Encoding: chunked\r\n") + size.data() + first + "\r\n");
    } else if (number == 1 && !refusal.empty()) {
      connection.send(refusal);
    } else {
      then.answer(request, connection);
    }
  };
}

TEST_F(Fetching, APartThatTheServerHasNothingBeyondIsWhole) {
  const std::string archive = small_archive();
  const LoopbackServer server(endless_then(archive, {archive}, ""));  // answers 416 with the size
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Fetching, APartLongerThanTheFileIsBegunAnew) {
  const std::string archive = small_archive();
  const LoopbackServer server(endless_then(archive + noise(100, 5), {archive}, ""));
  md5_ = md5sum(archive);
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests().size(), 3U);
  EXPECT_EQ(server.requests()[2].first_byte(), 0U);
  EXPECT_THAT(said(), HasSubstr("the server has no rest of what is here; beginning anew"));
}

TEST_F(Fetching, WhereARefusalDoesNotTellTheSizeTheChecksumDecides) {
  const std::string archive = small_archive();
  const std::string refusal = reply("416 Range Not Satisfiable");
  md5_ = md5sum(archive);
  {
    const LoopbackServer server(endless_then(archive, {archive}, refusal));
    provide(server.url());
    expect_small();
    EXPECT_EQ(server.requests().size(), 2U);
  }
  std::filesystem::remove_all(folder_ / "small");
  const LoopbackServer server(endless_then("something else", {archive}, refusal));
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(Fetching, ARestThatBeginsElsewhereIsNotUsed) {
  const std::string archive = small_archive();
  const LoopbackServer server([&](const Request& request, std::size_t number, Connection& connection) {
    if (number == 1) {
      const std::string rest = archive.substr(60000);
      connection.send(reply("206 Partial Content", rest,
                            "Content-Range: bytes 60000-" + std::to_string(archive.size() - 1) + "/" +
                                std::to_string(archive.size()) + "\r\n"));
      return;
    }
    ServedFile{.contents = archive, .cut_at = number == 0 ? 70000 : SIZE_MAX}.answer(request, connection);
  });
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests().size(), 3U);
  EXPECT_EQ(server.requests()[2].first_byte(), 0U);
  EXPECT_THAT(said(), HasSubstr("the server sent another part, or part of another file; beginning anew"));
}

TEST_F(Fetching, ALengthThatIsTooLargeIsFoundOut) {
  const std::string archive = small_archive();
  const LoopbackServer server([&](const Request& request, std::size_t number, Connection& connection) {
    if (number == 0) {
      connection.send(head("200 OK", "Content-Length: " + std::to_string(archive.size() + 1000) + "\r\n") + archive);
    } else {
      ServedFile{archive}.answer(request, connection);  // 416 with the true size
    }
  });
  md5_ = md5sum(archive);
  provide(server.url());
  expect_small();
}

TEST_F(Fetching, AFullDiskIsToldWithWhatIsNeededAndThePartStays) {
  const std::string archive = small_archive();
  const LoopbackServer server(always({.contents = archive, .etag = "\"one\""}));
  {
    const FailingCall full(Call::write, 4, ENOSPC);  // after the part's origin and some of the part
    EXPECT_THAT(failure(server.url()), AllOf(HasSubstr(part().string()), HasSubstr("No space left on device"),
                                             HasSubstr("KB more are needed there; what has come stays")));
  }
  const auto size = std::filesystem::file_size(part());
  EXPECT_GT(size, 0U);
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests()[1].first_byte(), size);
}

TEST_F(Fetching, ADiskThatIsTooSmallIsToldBeforeAnythingIsFetched) {
  const LoopbackServer server(always({small_archive()}));
  ArchiveSource source{.title = "Small", .url = server.url(), .folder = "small"};
  source.unpacked_bytes = 4'000'000'000'000'000'000;
  const std::string message = message_of<Error>([&] { provide(source); });
  EXPECT_THAT(message, AllOf(HasSubstr("no space for small.relic-part and what is unpacked from it in " +
                                       folder_.path().string()),
                             HasSubstr("4000000.0 TB are needed"), HasSubstr("are free; free some space")));
  EXPECT_THAT(folder_.names(), Not(Contains("small.relic-part")));
}

TEST_F(Fetching, ShowsHowFarItIsAndClearsThatLine) {
  const LoopbackServer server(always({small_archive()}));
  std::vector<std::string> shown;
  options_.progress = [&](const std::string& line) { shown.push_back(line); };
  provide(server.url());
  EXPECT_THAT(shown, Contains(HasSubstr("downloading Small  ")));
  EXPECT_THAT(shown.back(), IsEmpty());
}

}  // namespace
}  // namespace relic::testing
