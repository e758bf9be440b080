#include "data/decode/decode.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <system_error>

#include "data/decode/codecs.h"
#include "data/decode/image_header.h"
#include "relic/core/error.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_file_bytes = std::uint64_t{2} << 30U;  // more than the largest allowed picture uncompressed

void decode_as(ImageType type, std::string_view bytes, Image& out) {
  switch (type) {
    case ImageType::jpeg:
      return decode_jpeg(bytes, out);
    case ImageType::png:
      return decode_png(bytes, out);
    case ImageType::webp:
      return decode_webp(bytes, out);
    case ImageType::bmp:
      return decode_bmp(bytes, out);
    case ImageType::tiff:
      return decode_tiff(bytes, out);
    case ImageType::gif:
      throw DecodeFailure("GIF is not read");
    case ImageType::unknown:
      throw DecodeFailure("it begins like none of JPEG, PNG, WebP, BMP and TIFF");
  }
}

[[noreturn]] void fail_to_read(const fs::path& path, int reason) {
  std::error_code ignored;
  std::string why = std::generic_category().message(reason);
  std::string advice;
  if (reason == ENOENT && fs::is_symlink(path, ignored)) {
    why = "it is a link to " + fs::read_symlink(path, ignored).string() + ", which is not there";
    advice = "; mend or remove the link";
  } else if (reason == ELOOP) {
    why = "its symbolic links go round in a circle";
    advice = "; mend or remove the link";
  } else if (reason == ENXIO && fs::is_socket(path, ignored)) {
    why = "it is a socket and no file";
    advice = "; remove it or name another file";
  } else if (reason == EACCES) {
    advice = "; check the permissions";
  } else if (reason == ENOENT) {
    advice = "; check the path";
  }
  throw Error(path.string() + ": cannot be read, " + why + advice);
}

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "folder";
  if (S_ISFIFO(mode)) return "named pipe";
  if (S_ISSOCK(mode)) return "socket";
  return "device";
}

class File {
 public:
  /// Does not wait for a pipe's other end.
  explicit File(const fs::path& path) : path_(path) {
    do {
      descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (descriptor_ < 0 && errno == EINTR);
    if (descriptor_ < 0) fail_to_read(path, errno);
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] std::size_t size() const {
    struct stat status = {};
    if (::fstat(descriptor_, &status) != 0) fail_to_read(path_, errno);
    if (!S_ISREG(status.st_mode)) {
      throw Error(path_.string() + ": cannot be read, it is a " + std::string(kind_of(status.st_mode)) +
                  " and no file; remove it or name another file");
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size > max_file_bytes) {
      throw Error(path_.string() + ": " + std::to_string(size) + " bytes, where an image may have " +
                  std::to_string(max_file_bytes) + "; shrink or remove it");
    }
    return static_cast<std::size_t>(size);
  }

  /// How many bytes there were up to the end of the file.
  std::size_t read(char* bytes, std::size_t size) const {
    std::size_t used = 0;
    while (used < size) {
      const ssize_t count = ::read(descriptor_, bytes + used, size - used);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail_to_read(path_, errno);
      if (count == 0) break;
      used += static_cast<std::size_t>(count);
    }
    return used;
  }

 private:
  const fs::path& path_;
  int descriptor_ = -1;
};

}  // namespace

void require_allowed_size(std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) throw DecodeFailure("its header says no size");
  if (width > max_image_pixels || height > max_image_pixels || width * height > max_image_pixels) {
    throw DecodeFailure(std::to_string(width) + " by " + std::to_string(height) + " pixels are more than " +
                        std::to_string(max_image_pixels) + ", the most that are read");
  }
}

void resize_image(Image& out, std::uint64_t width, std::uint64_t height) {
  require_allowed_size(width, height);
  out.resize(static_cast<int>(width), static_cast<int>(height));
}

void decode_image(std::string_view bytes, const std::string& where, Image& out) {
  if (bytes.empty()) throw Error(where + ": empty (0 bytes), where an image is expected; copy it again or remove it");
  const ImageHeader header = read_image_header(bytes);
  try {
    if (header.width != 0 && header.height != 0) require_allowed_size(header.width, header.height);
    decode_as(header.type, bytes, out);
  } catch (const DecodeFailure& failure) {
    const std::string what =
        header.type == ImageType::unknown ? "no image" : "no readable " + std::string(name_of(header.type)) + " image";
    throw Error(where + ": " + what + ": " + failure.what() + "; replace or remove it");
  } catch (const std::bad_alloc&) {
    throw Error(where + ": not enough memory to decode " + std::to_string(header.width) + " by " +
                std::to_string(header.height) + " pixels; use fewer workers or remove it");
  }
}

void decode_image_file(const fs::path& path, Image& out) {
  const File file(path);
  const std::size_t size = file.size();
  std::unique_ptr<char[]> bytes;
  try {
    bytes = std::make_unique_for_overwrite<char[]>(size);
  } catch (const std::bad_alloc&) {
    throw Error(path.string() + ": not enough memory to read its " + std::to_string(size) +
                " bytes; use fewer workers or remove it");
  }
  decode_image({bytes.get(), file.read(bytes.get(), size)}, path.string(), out);
}

bool has_image_name(const fs::path& path) {
  constexpr std::array<std::string_view, 7> endings = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"};
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return std::ranges::find(endings, ending) != endings.end();
}

}  // namespace relic
