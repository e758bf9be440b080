// Servers that refuse, lead elsewhere, or give something else.
#include "download/download_test.h"

namespace relic::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Refusal = Download;

class LastingRefusal : public Download, public ::testing::WithParamInterface<const char*> {};
class PassingRefusal : public Download, public ::testing::WithParamInterface<const char*> {};

TEST_P(LastingRefusal, IsAskedOnceAndToldWithAddressAndStatus) {
  const LoopbackServer server([](const Request&, std::size_t, Connection& connection) {
    connection.send(reply(GetParam(), "<html>no</html>"));
  });
  const std::string status(GetParam(), 3);
  EXPECT_THAT(failure(server.url()), HasSubstr("cannot download " + server.url() + ": the server answered " + status +
                                               "; check the address, or name another one with --dataset_url"));
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(folder_.names(), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Status, LastingRefusal,
                         ::testing::Values("400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found",
                                           "410 Gone", "204 No Content"));

TEST_P(PassingRefusal, IsAskedAgain) {
  const LoopbackServer server([](const Request& request, std::size_t number, Connection& connection) {
    if (number < 2) {
      connection.send(reply(GetParam(), "<html>later</html>", "Retry-After: 9000000000000000000\r\n"));
    } else {
      ServedFile{small_archive()}.answer(request, connection);
    }
  });
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests().size(), 3U);
}
INSTANTIATE_TEST_SUITE_P(Status, PassingRefusal,
                         ::testing::Values("408 Request Timeout", "416 Range Not Satisfiable", "429 Too Many Requests",
                                           "500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable"));

TEST_F(Refusal, ThatDoesNotPassEndsAfterTheAttemptsAllowed) {
  const LoopbackServer server(
      [](const Request&, std::size_t, Connection& connection) { connection.send(reply("500 Internal Server Error")); });
  EXPECT_THAT(failure(server.url()), AllOf(HasSubstr("answered 500"), HasSubstr("4 attempts")));
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(Refusal, AServerThatIsNotThereIsTold) {
  std::string url;
  {
    url = LoopbackServer([](const Request&, std::size_t, Connection&) {}).url();
  }
  EXPECT_THAT(failure(url), AllOf(HasSubstr("cannot download " + url), HasSubstr("4 attempts")));
}

TEST_F(Refusal, ARedirectionIsFollowed) {
  const LoopbackServer server([](const Request& request, std::size_t, Connection& connection) {
    if (request.path == "/small.tar.gz") {
      connection.send(reply("302 Found", "moved", "Location: /elsewhere\r\nETag: \"not the file's\"\r\n"));
    } else {
      ServedFile{small_archive()}.answer(request, connection);
    }
  });
  provide(server.url());
  expect_small();
  EXPECT_EQ(server.requests().back().path, "/elsewhere");
}

TEST_F(Refusal, ARedirectionToAFileIsNotFollowed) {
  spit(folder_ / "secret", small_archive());
  const std::string location = "Location: file://" + (folder_ / "secret").string() + "\r\n";
  const LoopbackServer server(
      [&](const Request&, std::size_t, Connection& connection) { connection.send(reply("302 Found", "", location)); });
  failure(server.url());
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(folder_.names(), ElementsAre("secret"));
}

TEST_F(Refusal, RedirectionsInACircleEnd) {
  const LoopbackServer server([](const Request&, std::size_t, Connection& connection) {
    connection.send(reply("302 Found", "", "Location: /small.tar.gz\r\n"));
  });
  failure(server.url());
  EXPECT_EQ(server.requests().size(), 11U);
}

TEST_F(Refusal, AWrongSizeIsToldBeforeAnythingIsFetched) {
  const LoopbackServer server([](const Request&, std::size_t, Connection& connection) {
    connection.send(head("200 OK", "Content-Length: 123456789\r\n") + "x");
    connection.stall();
  });
  const ArchiveSource source{.title = "Small", .url = server.url(), .bytes = 200, .folder = "small"};
  EXPECT_THAT(message_of<Error>([&] { provide(source); }),
              HasSubstr(server.url() + ": the file there has 123456789 bytes, where 200 are expected"));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Refusal, MoreThanTheExpectedSizeIsNotTaken) {
  const LoopbackServer server([](const Request&, std::size_t, Connection& connection) {
    connection.send(head("200 OK") + small_archive());  // without a length: to the connection's end
  });
  const ArchiveSource source{.title = "Small", .url = server.url(), .bytes = 200, .folder = "small"};
  EXPECT_THAT(message_of<Error>([&] { provide(source); }), HasSubstr("sends more than the 200 bytes"));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Refusal, AWrongChecksumIsToldWithBothAndNothingStays) {
  const std::string archive = small_archive();
  const LoopbackServer server([&](const Request& request, std::size_t, Connection& connection) {
    ServedFile{archive}.answer(request, connection);
  });
  md5_ = md5sum("another file");
  EXPECT_THAT(failure(server.url()),
              AllOf(HasSubstr(server.url() + ": the archive's MD5 is " + md5sum(archive) + ", where " + md5_),
                    HasSubstr("what was fetched is removed: try again"), HasSubstr("--dataset_md5")));
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Refusal, ALengthThatIsTooSmallLeavesADamagedArchiveWhichIsRemoved) {
  const std::string archive = small_archive();
  const LoopbackServer server([&](const Request&, std::size_t, Connection& connection) {
    connection.send(head("200 OK", "Content-Length: " + std::to_string(archive.size() - 5000) + "\r\n") + archive);
  });
  EXPECT_THAT(failure(server.url()), AllOf(HasSubstr("damaged in 'small/images.bin'"),
                                           HasSubstr("(fetched from " + server.url() + ", now removed)")));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Refusal, APageInPlaceOfAnArchiveIsTold) {
  const LoopbackServer server([](const Request&, std::size_t, Connection& connection) {
    connection.send(reply("200 OK", "<html>Log in first</html>"));
  });
  EXPECT_THAT(failure(server.url()), AllOf(HasSubstr("no archive (tar or zip), or a damaged one"),
                                           HasSubstr("(fetched from " + server.url() + ", now removed)")));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Refusal, AnEmptyFileIsTold) {
  const LoopbackServer server(
      [](const Request&, std::size_t, Connection& connection) { connection.send(reply("200 OK")); });
  EXPECT_THAT(failure(server.url()),
              AllOf(HasSubstr(server.url() + ": cannot be read: "), HasSubstr("what was fetched is removed")));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Refusal, AFileThatEndsEarlyEachTimeIsTold) {
  const LoopbackServer server([](const Request&, std::size_t, Connection& connection) {
    connection.send(head("200 OK") + "too short");  // without a length: to the connection's end
  });
  const ArchiveSource source{.title = "Small", .url = server.url(), .bytes = 200, .folder = "small"};
  EXPECT_THAT(message_of<Error>([&] { provide(source); }),
              HasSubstr("cannot download " + server.url() + ": the transfer ended early (the last of 4 attempts"));
  EXPECT_EQ(server.requests().size(), 5U);  // the first one brought something
}

}  // namespace
}  // namespace relic::testing
