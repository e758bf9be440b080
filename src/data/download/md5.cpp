#include "data/download/md5.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/open_file.h"
#include "relic/core/error.h"

namespace relic {
namespace {

void require(bool done) {
  // A machine held to certain standards (FIPS) may have none.
  if (!done) throw Error("this machine's OpenSSL computes no MD5, so the checksum of a data set cannot be checked");
}

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4U];
    text += digits[bytes[i] & 15U];
  }
  return text;
}

}  // namespace

std::string md5_of_file(const std::filesystem::path& path, const std::function<void(std::uint64_t done)>& tick) {
  const Descriptor file(open_or_fail("read", path, O_RDONLY));
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  require(context && EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1);
  constexpr std::size_t block = std::size_t{1} << 20U;
  std::vector<char> buffer(block);
  for (std::uint64_t done = 0;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error("cannot read " + path.string() + ": " + std::generic_category().message(errno));
    if (count == 0) break;
    require(EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(count)) == 1);
    done += static_cast<std::uint64_t>(count);
    tick(done);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1);
  return hexadecimal(digest.data(), size);
}

}  // namespace relic
