"""Writes the pictures of tests/dataset/decode_test.cpp and what Pillow makes of them.

    python make.py        # Pillow, numpy and libjpeg-turbo's jpegtran; writes beside itself

For each picture NAME there is NAME.rgb, its expected height x width x 3 bytes: Image.open(NAME).convert("RGB"), or
for 16-bit files, which Pillow saturates, round(value / 257) by numpy. index.json lists them in order.
"""

import io
import json
import pathlib
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image

here = pathlib.Path(__file__).parent
width, height = 33, 21
index = []


def note(name, expected=None, tolerance=2):
    """Records what is expected; by default what Pillow reads."""
    if expected is None:
        expected = np.asarray(Image.open(here / name).convert("RGB"))
    (here / f"{name}.rgb").write_bytes(expected.astype(np.uint8).tobytes())
    index.append({"name": name, "width": expected.shape[1], "height": expected.shape[0], "tolerance": tolerance})


def save(name, image, tolerance=0, **options):
    image.save(here / name, **options)
    note(name, tolerance=tolerance)


def scene(channels, depth=8):
    """Slopes, an edge and some noise, so that no two of the corners or channels are alike."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    random = np.random.default_rng(7)
    planes = [x, y, 1 - 0.5 * (x + y), 0.3 + 0.6 * np.abs(x - y)][:channels]
    values = np.stack(planes, -1) + 0.2 * ((x > 0.5) & (y < 0.4))[..., None] + random.normal(0, 0.02, (height, width, 1))
    return np.round(np.clip(values, 0, 1) * (2**depth - 1)).astype(np.uint8 if depth == 8 else np.uint16)


def png(name, pixels, color_type, depth, interlaced=False):
    """What Pillow does not write: more than 8 bits in colour, Adam7."""
    def rows(part):
        return b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in part)

    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b"".join(rows(pixels[y::dy, x::dx]) for x, y, dx, dy in passes) if interlaced else rows(pixels)
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    (here / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data, 9)) +
                              chunk(b"IEND", b""))


def bmp(name, rows, bits, row_count=height, masks=b"", colours=b""):
    """What Pillow does not write: top-down (a negative row_count), 4 and 16 bits."""
    offset = 14 + 40 + len(masks) + len(colours)
    header = struct.pack("<IiiHHIIiiII", 40, width, row_count, 1, bits, 3 if masks else 0, len(rows), 0, 0,
                         len(colours) // 4, 0)
    (here / name).write_bytes(b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + header + masks +
                              colours + rows)


def padded(rows):
    return b"".join(row.tobytes() + b"\0" * (-len(row.tobytes()) % 4) for row in rows)


rgb = Image.fromarray(scene(3))
gray = Image.fromarray(scene(1)[..., 0])
rgba = Image.fromarray(scene(4), "RGBA")
la = Image.merge("LA", (gray, rgba.getchannel("A")))
palette = rgb.quantize(37)
bits = gray.convert("1")
cmyk = Image.fromarray(scene(4), "CMYK")
round_8 = lambda values: np.round(values / 257)


def make_jpegs():
    save("rgb.jpg", rgb, 2, quality=85)
    save("rgb_444.jpg", rgb, 2, quality=95, subsampling=0)
    save("rgb_422.jpg", rgb, 2, quality=90, subsampling=1)
    save("gray.jpg", gray, 2, quality=85)
    save("progressive.jpg", rgb, 2, quality=85, progressive=True)
    save("gray_progressive.jpg", gray, 2, quality=85, progressive=True)
    save("restarts.jpg", rgb, 2, quality=85, restart_marker_blocks=2)
    subprocess.run(["jpegtran", "-arithmetic", "-outfile", here / "arithmetic.jpg", here / "rgb.jpg"], check=True)
    note("arithmetic.jpg")
    save("cmyk.jpg", cmyk, 2, quality=85)
    inks = (here / "cmyk.jpg").read_bytes()
    adobe = inks.index(b"Adobe") + 11  # the colour transform: none becomes YCCK
    (here / "ycck.jpg").write_bytes(inks[:adobe] + b"\2" + inks[adobe + 1:])
    note("ycck.jpg")
    orientation = Image.Exif()
    orientation[0x0112] = 6
    save("orientation_6.jpg", rgb, 2, quality=85, exif=orientation)
    thumbnail = io.BytesIO()
    rgb.resize((8, 6)).save(thumbnail, "JPEG")
    thumbnail = thumbnail.getvalue()  # with an end-of-image marker of its own
    entries = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 44, 0x0202, 4, 1, len(thumbnail), 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + struct.pack("<HI", 0, 14) + entries + thumbnail
    save("thumbnail.jpg", rgb, 2, quality=85, exif=exif)
    save("one_pixel.jpg", rgb.crop((3, 3, 4, 4)), 2)


def make_pngs():
    save("rgb.png", rgb)
    save("gray.png", gray)
    save("gray_alpha.png", la)
    save("rgba.png", rgba)
    save("palette.png", palette)
    save("palette_4_bits.png", rgb.quantize(13))
    save("palette_transparent.png", palette, transparency=5)
    save("rgb_transparent.png", rgb, transparency=rgb.getpixel((4, 4)))
    save("bits.png", bits)
    png("gray_16.png", scene(1, 16), 0, 16)
    note("gray_16.png", round_8(scene(1, 16).repeat(3, -1)), 0)
    png("rgb_16.png", scene(3, 16), 2, 16)
    note("rgb_16.png", round_8(scene(3, 16)), 0)
    png("rgba_16.png", scene(4, 16), 6, 16)
    note("rgba_16.png", round_8(scene(3, 16)), 0)
    png("interlaced.png", scene(3), 2, 8, interlaced=True)
    note("interlaced.png", tolerance=0)


def make_webps():
    save("lossy.webp", rgb, 2, quality=80)
    save("lossless.webp", rgb, lossless=True)
    save("lossy_alpha.webp", rgba, 2, quality=80, exact=True)
    save("lossless_alpha.webp", rgba, lossless=True, exact=True)


def make_bmps():
    save("rgb.bmp", rgb)
    save("rgba.bmp", rgba)
    save("gray.bmp", gray)
    save("palette.bmp", palette)
    save("bits.bmp", bits)
    bmp("top_down.bmp", padded(scene(3)[..., ::-1]), 24, -height)
    note("top_down.bmp", tolerance=0)
    few = rgb.quantize(13)
    colours = np.zeros((13, 4), np.uint8)
    colours[:, 2::-1] = np.array(few.getpalette()[:39], np.uint8).reshape(13, 3)
    indices = np.pad(np.asarray(few), ((0, 0), (0, 1)))
    bmp("4_bits.bmp", padded((indices[:, 0::2] << 4 | indices[:, 1::2]).astype(np.uint8)), 4, colours=colours.tobytes())
    note("4_bits.bmp", tolerance=0)
    high = scene(3).astype(np.uint16)
    bmp("555.bmp", padded(high[..., 0] >> 3 << 10 | high[..., 1] >> 3 << 5 | high[..., 2] >> 3), 16)
    note("555.bmp", tolerance=0)
    bmp("565.bmp", padded(high[..., 0] >> 3 << 11 | high[..., 1] >> 2 << 5 | high[..., 2] >> 3), 16,
        masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    note("565.bmp", tolerance=0)


def make_tiffs():
    save("rgb.tif", rgb)
    save("gray.tif", gray)
    save("lzw.tif", rgb, compression="tiff_lzw")
    save("deflate.tif", rgb, compression="tiff_adobe_deflate", tiffinfo={317: 2})
    save("packbits.tif", palette, compression="packbits")
    save("palette.tif", palette)
    save("bits.tif", bits)
    save("group4.tif", bits, compression="group4")
    save("rgba.tif", rgba)
    save("gray_alpha.tif", la)
    save("cmyk.tif", cmyk, 2)
    save("jpeg.tif", rgb, 2, compression="jpeg", quality=85)
    for orientation in range(2, 9):
        save(f"orientation_{orientation}.tif", rgb, compression="tiff_lzw", tiffinfo={0x0112: orientation})
    Image.fromarray(scene(1, 16)[..., 0]).save(here / "gray_16.tif")
    note("gray_16.tif", round_8(scene(1, 16).repeat(3, -1)), 1)


for make in (make_jpegs, make_pngs, make_webps, make_bmps, make_tiffs):
    make()
(here / "index.json").write_text(json.dumps(index, indent=1) + "\n")
