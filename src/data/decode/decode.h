// Image files to 8-bit RGB, the same pixels as PIL's Image.open(path).convert("RGB").
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "relic/data/image.h"

namespace relic {

/// Decodes a JPEG, PNG, WebP, BMP or TIFF file, known by its first bytes whatever its name. The pixels depend on
/// nothing but the file's bytes. EXIF orientation is ignored (a TIFF's own is followed, as PIL does), alpha is dropped.
/// `out` is reused: what it held is lost, also where this throws. Throws Error, one line that names the path and says
/// why, for everything that is no whole image of at most 178,956,970 pixels; that many are refused from the header,
/// before anything is allocated. Never waits on a pipe. Any number of threads may call it at once.
void decode_image_file(const std::filesystem::path& path, Image& out);

/// The same from a file's bytes in memory; `where` names them in errors.
void decode_image(std::string_view bytes, const std::string& where, Image& out);

/// Whether a file's name ends like that of an image that can be read: .jpg .jpeg .png .webp .bmp .tif .tiff, in any
/// case.
bool has_image_name(const std::filesystem::path& path);

}  // namespace relic
