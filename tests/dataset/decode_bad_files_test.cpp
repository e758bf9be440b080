#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "data/decode/decode.h"
#include "relic/core/error.h"
#include "support/decode_fixtures.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;
using testing::spit;
using testing::TemporaryFolder;

class BadImageFile : public ::testing::Test {
 protected:
  std::string refusal(const std::string& name) {
    Image out;
    std::string message = message_of<Error>([&] { decode_image_file(folder_ / name, out); });
    EXPECT_THAT(message, AllOf(HasSubstr((folder_ / name).string()), Not(HasSubstr("\n"))));
    return message;
  }

  TemporaryFolder folder_;
};

TEST_F(BadImageFile, IsEmpty) {
  spit(folder_ / "a.jpg", "");
  EXPECT_THAT(refusal("a.jpg"), HasSubstr("empty (0 bytes)"));
}

TEST_F(BadImageFile, IsText) {
  spit(folder_ / "a.jpg", "I am a text.\n");
  EXPECT_THAT(refusal("a.jpg"), EndsWith("no image: it begins like none of JPEG, PNG, WebP, BMP and TIFF; replace or "
                                         "remove it"));
}

TEST_F(BadImageFile, IsAGif) {
  spit(folder_ / "a.png", std::string("GIF89a\x21\0\x15\0\0\0\0;", 14));
  EXPECT_THAT(refusal("a.png"), HasSubstr("no readable GIF image: GIF is not read"));
}

TEST_F(BadImageFile, IsNotThere) {
  EXPECT_THAT(refusal("a.jpg"), EndsWith("No such file or directory; check the path"));
}

TEST_F(BadImageFile, IsAFolder) {
  fs::create_directory(folder_ / "x.png");
  EXPECT_THAT(refusal("x.png"), HasSubstr("it is a folder and no file"));
}

TEST_F(BadImageFile, IsABrokenLink) {
  fs::create_symlink("gone.png", folder_ / "x.png");
  EXPECT_THAT(refusal("x.png"), HasSubstr("it is a link to gone.png, which is not there"));
}

TEST_F(BadImageFile, IsALoopOfLinks) {
  fs::create_symlink("b.png", folder_ / "a.png");
  fs::create_symlink("a.png", folder_ / "b.png");
  EXPECT_THAT(refusal("a.png"), HasSubstr("its symbolic links go round in a circle"));
}

TEST_F(BadImageFile, IsANamedPipeThatNobodyWritesTo) {
  ASSERT_EQ(::mkfifo((folder_ / "a.png").c_str(), 0600), 0);
  EXPECT_THAT(refusal("a.png"), HasSubstr("it is a named pipe and no file"));
}

TEST_F(BadImageFile, IsASocket) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = folder_ / "a.png";
  std::ranges::copy(path, address.sun_path);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_THAT(refusal("a.png"), HasSubstr("it is a socket and no file"));
  ::close(socket);
}

TEST_F(BadImageFile, IsADevice) {
  fs::create_symlink("/dev/zero", folder_ / "a.png");
  EXPECT_THAT(refusal("a.png"), HasSubstr("it is a device and no file"));
}

TEST_F(BadImageFile, MayNotBeRead) {
  spit(folder_ / "a.png", "secret");
  fs::permissions(folder_ / "a.png", fs::perms::none);
  const bool root = ::geteuid() == 0;
  constexpr uid_t nobody = 65534;
  if (root) {
    fs::permissions(folder_.path(), fs::perms::all);
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  const std::string message = refusal("a.png");
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_THAT(message, EndsWith("Permission denied; check the permissions"));
}

TEST_F(BadImageFile, IsLargerThanAnyImage) {
  spit(folder_ / "a.png", "x");
  fs::resize_file(folder_ / "a.png", 3'000'000'000);  // a hole
  EXPECT_THAT(refusal("a.png"), HasSubstr("3000000000 bytes, where an image may have 2147483648"));
}

TEST_F(BadImageFile, IsNotWhatItsNameSaysAndIsReadAllTheSame) {
  const testing::DecodeFixture fixture = testing::decode_fixture("rgb.png");
  spit(folder_ / "a.jpg", fixture.bytes);
  Image out;
  decode_image_file(folder_ / "a.jpg", out);
  EXPECT_EQ(testing::largest_difference(out, fixture), 0);
}

TEST(ImageName, IsKnownByItsEndingInAnyCase) {
  for (const char* name : {"a.jpg", "b/a.JPEG", "a.Png", "a.webp", "a.bmp", "a.tif", "x.y.TIFF"}) {
    EXPECT_TRUE(has_image_name(name)) << name;
  }
  for (const char* name : {"a.gif", "a.txt", "jpg", ".jpg", "a.jpg.txt", "a.jpg/", "a.jpg.", ""}) {
    EXPECT_FALSE(has_image_name(name)) << name;
  }
}

}  // namespace
}  // namespace relic
