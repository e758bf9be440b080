// PIL's operations on single pixels, as phases (see group.h), in place on three planes of bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "views/group.h"

namespace relic::ops {

/// Red, green and blue, `pixels` bytes each, one after another.
struct Planes {
  std::uint8_t* data = nullptr;
  int pixels = 0;
};

constexpr int luma(int red, int green, int blue) {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;  // not negative
}

/// PIL's Image.blend from `from` (factor 0) past `to` (factor 1): in float32, cut to a byte, never rounded.
constexpr std::uint8_t blend(int from, int to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  const float high = value < 255.0F ? value : 255.0F;
  return static_cast<std::uint8_t>(static_cast<int>(high > 0.0F ? high : 0.0F));
}

template <typename Group>
constexpr void adjust_brightness(const Group& group, const Planes& planes, float factor) {
  std::uint8_t* data = planes.data;
  group.for_each(3 * planes.pixels, [=](int i) { data[i] = blend(0, data[i], factor); });
}

/// Sum of the lumas of all pixels; holds up to 16.8 million.
template <typename Group>
constexpr unsigned luma_sum(const Group& group, const Planes& planes) {
  const std::uint8_t* red = planes.data;
  const std::uint8_t* green = red + planes.pixels;
  const std::uint8_t* blue = green + planes.pixels;
  return group.sum(planes.pixels, [=](int i) { return static_cast<unsigned>(luma(red[i], green[i], blue[i])); });
}

template <typename Group>
constexpr void adjust_contrast(const Group& group, const Planes& planes, float factor) {
  const double average = static_cast<double>(luma_sum(group, planes)) / planes.pixels;
  const int gray = static_cast<int>(average + 0.5);
  std::uint8_t* data = planes.data;
  group.for_each(3 * planes.pixels, [=](int i) { data[i] = blend(gray, data[i], factor); });
}

template <typename Group>
constexpr void adjust_saturation(const Group& group, const Planes& planes, float factor) {
  std::uint8_t* red = planes.data;
  std::uint8_t* green = red + planes.pixels;
  std::uint8_t* blue = green + planes.pixels;
  group.for_each(planes.pixels, [=](int i) {
    const int gray = luma(red[i], green[i], blue[i]);
    red[i] = blend(gray, red[i], factor);
    green[i] = blend(gray, green[i], factor);
    blue[i] = blend(gray, blue[i], factor);
  });
}

/// A pixel as PIL's RGB → HSV has it: whole numbers in 0 … 255, kept as floats, which vector units like.
struct HueSaturationValue {
  float hue;
  float saturation;
  float value;
};

constexpr float whole(float value) { return static_cast<float>(static_cast<int>(value)); }

/// PIL computes part of this in double; here each sum is arranged so that float32 comes to the same byte.
constexpr HueSaturationValue hue_saturation_value(float red, float green, float blue) {
  const float red_or_green = red > green ? red : green;
  const float high = red_or_green > blue ? red_or_green : blue;
  const float lower = red < green ? red : green;
  const float low = lower < blue ? lower : blue;
  const float range = high - low;
  // The hue lies on one side of the strongest colour, which stands at 0, 2 or 4 sixths of the circle. One plain choice
  // after the other, since nested ones do not vectorise.
  float after = green == high ? blue : red;
  float before = green == high ? red : green;
  float at = green == high ? 2.0F : 4.0F;
  after = red == high ? green : after;
  before = red == high ? blue : before;
  at = red == high ? 0.0F : at;
  const float side = after == low ? -1.0F : 1.0F;
  const float gap = after == low ? high - before : after - high;
  const float turn = (at + side + gap / (range > 1.0F ? range : 1.0F)) / 6.0F;
  const float hue = (turn + (turn < 0.0F ? 1.0F : 0.0F)) * 255.0F;
  const float saturation = range / (high > 1.0F ? high : 1.0F) * 255.0F;
  return {whole(range > 0.0F ? hue : 0.0F), whole(saturation), high};
}

/// One channel of a colour of PIL's HSV, rounded: `hue` in 0 … 1530 (255 a sixth), `offset` where on the circle the
/// channel starts to fade.
constexpr std::uint8_t channel(float hue, float saturation, float value, float offset) {
  constexpr float sixth = 255.0F;
  const float turned = hue + offset;
  const float place = turned - (turned >= 6 * sixth ? 6 * sixth : 0.0F);
  const float ramp = place < 4 * sixth - place ? place : 4 * sixth - place;
  const float capped = ramp < sixth ? ramp : sixth;
  const float share = capped > 0.0F ? capped : 0.0F;
  constexpr float full = 255.0F * 255.0F;
  return static_cast<std::uint8_t>(static_cast<int>(value * (full - saturation * share) / full + 0.5F));
}

/// Turns the hue by `shift` 256ths of the circle, which PIL divides into 255 steps.
template <typename Group>
constexpr void shift_hue(const Group& group, const Planes& planes, int shift) {
  std::uint8_t* red = planes.data;
  std::uint8_t* green = red + planes.pixels;
  std::uint8_t* blue = green + planes.pixels;
  group.for_each(planes.pixels, [=](int i) {
    const HueSaturationValue color =
        hue_saturation_value(static_cast<float>(red[i]), static_cast<float>(green[i]), static_cast<float>(blue[i]));
    const float hue = static_cast<float>(((static_cast<int>(color.hue) + shift) & 255) * 6);
    red[i] = channel(hue, color.saturation, color.value, 5 * 255.0F);
    green[i] = channel(hue, color.saturation, color.value, 3 * 255.0F);
    blue[i] = channel(hue, color.saturation, color.value, 1 * 255.0F);
  });
}

/// torchvision's hue factor (a share of the circle) as a shift of shift_hue: cut towards zero, modulo 256.
constexpr int hue_shift(float factor) { return static_cast<int>(static_cast<double>(factor) * 255.0) & 255; }

template <typename Group>
constexpr void to_gray(const Group& group, const Planes& planes) {
  std::uint8_t* red = planes.data;
  std::uint8_t* green = red + planes.pixels;
  std::uint8_t* blue = green + planes.pixels;
  group.for_each(planes.pixels, [=](int i) {
    const auto gray = static_cast<std::uint8_t>(luma(red[i], green[i], blue[i]));
    red[i] = gray;
    green[i] = gray;
    blue[i] = gray;
  });
}

template <typename Group>
constexpr void solarize(const Group& group, const Planes& planes, int threshold) {
  std::uint8_t* data = planes.data;
  group.for_each(3 * planes.pixels,
                 [=](int i) { data[i] = static_cast<std::uint8_t>(data[i] < threshold ? data[i] : 255 - data[i]); });
}

/// Three planes to interleaved pixels.
template <typename Group>
constexpr void interleave(const Group& group, const Planes& planes, std::uint8_t* out) {
  const std::uint8_t* red = planes.data;
  const std::uint8_t* green = red + planes.pixels;
  const std::uint8_t* blue = green + planes.pixels;
  group.for_each(planes.pixels, [=](int i) {
    std::uint8_t* pixel = out + static_cast<std::ptrdiff_t>(3) * i;
    pixel[0] = red[i];
    pixel[1] = green[i];
    pixel[2] = blue[i];
  });
}

}  // namespace relic::ops
