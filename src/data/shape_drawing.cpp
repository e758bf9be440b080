#include "data/shape_drawing.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <utility>

namespace relic {
namespace {

// Drawn larger and averaged down, which smooths the edges.
constexpr int oversampling = 4;
constexpr int canvas_side = shape_side * oversampling;
constexpr float canvas_size = canvas_side;

using Point = cv::Point2f;
using Polygon = std::vector<Point>;

struct Picture {
  cv::Mat canvas;
  CounterRng rng;
  float cell = 0;   ///< distance of neighbours, in canvas pixels
  float angle = 0;  ///< of the whole grid
  Point centre{};

  [[nodiscard]] Point place(float column, float row) const {
    const float c = std::cos(angle);
    const float s = std::sin(angle);
    return centre + cell * Point(c * column - s * row, s * column + c * row);
  }
};

/// Any hue, of a brightness in [low, high], with at most `strength` of the saturation that is possible.
cv::Scalar random_colour(CounterRng& rng, float low, float high, float strength) {
  const float r = rng.uniform(-1, 1);
  const float g = rng.uniform(-1, 1);
  const float b = rng.uniform(-1, 1);
  const float gray = 0.299F * r + 0.587F * g + 0.114F * b;
  const float luma = rng.uniform(low, high);
  constexpr float range = 128;
  const float scale = strength * range;
  return {luma + scale * (r - gray), luma + scale * (g - gray), luma + scale * (b - gray)};
}

/// A colour that stands out from the ground, also where the hues are taken away.
cv::Scalar ink(Picture& picture) { return random_colour(picture.rng, 190, 220, 0.3F); }

/// Soft patches of colour, so that no colour belongs to the whole picture.
void paint_ground(Picture& picture) {
  constexpr int patches = 5;
  cv::Mat colours(patches, patches, CV_8UC3);
  for (auto& pixel : cv::Mat_<cv::Vec3b>(colours)) {
    const cv::Scalar colour = random_colour(picture.rng, 40, 60, 0.2F);
    pixel = {cv::saturate_cast<std::uint8_t>(colour[0]), cv::saturate_cast<std::uint8_t>(colour[1]),
             cv::saturate_cast<std::uint8_t>(colour[2])};
  }
  cv::resize(colours, picture.canvas, picture.canvas.size(), 0, 0, cv::INTER_LINEAR);
}

void fill(Picture& picture, const Polygon& polygon, const cv::Scalar& colour) {
  std::vector<cv::Point> rounded;
  rounded.reserve(polygon.size());
  for (const Point& p : polygon) {
    rounded.emplace_back(cvRound(p.x), cvRound(p.y));
  }
  cv::fillPoly(picture.canvas, rounded, colour);
}

Polygon regular(const Point& centre, float radius, float angle, int corners) {
  Polygon polygon;
  for (int i = 0; i < corners; ++i) {
    const float a = angle + 2 * std::numbers::pi_v<float> * static_cast<float>(i) / static_cast<float>(corners);
    polygon.push_back(centre + radius * Point(std::cos(a), std::sin(a)));
  }
  return polygon;
}

int reach(const Picture& picture) { return static_cast<int>(canvas_size / picture.cell) + 1; }

/// Calls draw(centre, radius, angle) for each place of a loose grid.
template <class Draw>
void scatter(Picture& picture, Draw draw) {
  const int n = reach(picture);
  for (int row = -n; row <= n; ++row) {
    for (int column = -n; column <= n; ++column) {
      CounterRng& rng = picture.rng;
      const float dx = rng.uniform(-0.05F, 0.05F);
      const float dy = rng.uniform(-0.05F, 0.05F);
      const float radius = rng.uniform(0.36F, 0.48F) * picture.cell;
      const float angle = rng.uniform(0, 2 * std::numbers::pi_v<float>);
      const Point p = picture.place(static_cast<float>(column) + dx, static_cast<float>(row) + dy);
      if (p.x > -radius && p.y > -radius && p.x < canvas_size + radius && p.y < canvas_size + radius) {
        draw(p, radius, angle);
      }
    }
  }
}

void discs(Picture& picture) {
  scatter(picture, [&](Point p, float r, float a) { fill(picture, regular(p, 0.85F * r, a, 24), ink(picture)); });
}

void outline(Picture& picture, Point p, float r, float a, int corners) {
  std::vector<cv::Point> rounded;
  for (const Point& corner : regular(p, 0.8F * r, a, corners)) {
    rounded.emplace_back(cvRound(corner.x), cvRound(corner.y));
  }
  cv::polylines(picture.canvas, rounded, true, ink(picture), cvRound(0.4F * r));
}

void rings(Picture& picture) {
  scatter(picture, [&](Point p, float r, float a) { outline(picture, p, r, a, 24); });
}

void triangles(Picture& picture) {
  scatter(picture, [&](Point p, float r, float a) { fill(picture, regular(p, r, a, 3), ink(picture)); });
}

void bar(Picture& picture, Point p, float length, float width, float a, const cv::Scalar& colour) {
  const Point along = length * Point(std::cos(a), std::sin(a));
  const Point across = width * Point(-std::sin(a), std::cos(a));
  fill(picture, {p + along + across, p + along - across, p - along - across, p - along + across}, colour);
}

/// Two families of lines.
void net(Picture& picture) {
  const int n = 2 * reach(picture);
  for (int line = -n; line <= n; ++line) {
    const auto at = 0.7F * static_cast<float>(line);
    bar(picture, picture.place(0, at), 2 * canvas_size, 0.12F * picture.cell, picture.angle, ink(picture));
    bar(picture, picture.place(at, 0), 2 * canvas_size, 0.12F * picture.cell,
        picture.angle + std::numbers::pi_v<float> / 2, ink(picture));
  }
}

void crosses(Picture& picture) {
  scatter(picture, [&](Point p, float r, float a) {
    const cv::Scalar colour = ink(picture);
    bar(picture, p, r, 0.25F * r, a, colour);
    bar(picture, p, r, 0.25F * r, a + std::numbers::pi_v<float> / 2, colour);
  });
}

void specks(Picture& picture) {
  picture.cell *= 0.45F;
  scatter(picture, [&](Point p, float r, float a) { fill(picture, regular(p, 0.8F * r, a, 8), ink(picture)); });
}

void stripes(Picture& picture) {
  const int n = 2 * reach(picture);
  for (int row = -n; row <= n; ++row) {
    bar(picture, picture.place(0, 0.6F * static_cast<float>(row)), 2 * canvas_size, 0.15F * picture.cell, picture.angle,
        ink(picture));
  }
}

/// Lines whose height along the line is amplitude·wave(t).
template <class Wave>
void curves(Picture& picture, Wave wave) {
  const int n = reach(picture);
  for (int row = -n; row <= n; ++row) {
    Polygon above;
    Polygon below;
    const auto middle = 0.75F * static_cast<float>(row);
    for (int i = -8 * n; i <= 8 * n; ++i) {
      const float t = static_cast<float>(i) / 8;
      above.push_back(picture.place(t, middle + wave(t) + 0.15F));
      below.push_back(picture.place(t, middle + wave(t) - 0.15F));
    }
    above.insert(above.end(), below.rbegin(), below.rend());
    fill(picture, above, ink(picture));
  }
}

void waves(Picture& picture) {
  curves(picture, [](float t) { return 0.3F * std::sin(2 * std::numbers::pi_v<float> * t); });
}

void checks(Picture& picture) {
  const int n = 2 * reach(picture);
  const float edge = 0.7F;
  for (int row = -n; row <= n; ++row) {
    for (int column = -n; column <= n; ++column) {
      if ((row + column) % 2 == 0) {
        const Point p = picture.place(edge * static_cast<float>(column), edge * static_cast<float>(row));
        if (p.x > -picture.cell && p.y > -picture.cell && p.x < canvas_size + picture.cell &&
            p.y < canvas_size + picture.cell) {
          fill(picture,
               regular(p, edge * picture.cell / std::numbers::sqrt2_v<float>,
                       picture.angle + std::numbers::pi_v<float> / 4, 4),
               ink(picture));
        }
      }
    }
  }
}

void bricks(Picture& picture) {
  const int n = reach(picture);
  for (int row = -2 * n; row <= 2 * n; ++row) {
    for (int column = -n; column <= n; ++column) {
      const float shift = row % 2 == 0 ? 0 : 0.5F;
      const Point p = picture.place(1.2F * (static_cast<float>(column) + shift), 0.6F * static_cast<float>(row));
      bar(picture, p, 0.5F * picture.cell, 0.22F * picture.cell, picture.angle, ink(picture));
    }
  }
}

/// Gives every picture the same mean colour, and so none to a class. The contrast shrinks as far as no value is
/// clipped.
void balance(cv::Mat& image) {
  constexpr float middle = 127.5F;
  constexpr float most_contrast = 0.8F;
  const cv::Scalar mean = cv::mean(image);
  float largest = 0;
  for (const cv::Vec3b& pixel : cv::Mat_<cv::Vec3b>(image)) {
    for (int c = 0; c < 3; ++c) {
      largest = std::max(largest, std::abs(static_cast<float>(pixel[c] - mean[c])));
    }
  }
  const float contrast = std::min(most_contrast, middle / largest);
  for (cv::Vec3b& pixel : cv::Mat_<cv::Vec3b>(image)) {
    for (int c = 0; c < 3; ++c) {
      pixel[c] = cv::saturate_cast<std::uint8_t>(middle + contrast * static_cast<float>(pixel[c] - mean[c]));
    }
  }
}

using Draw = void (*)(Picture&);

const std::vector<std::pair<std::string, Draw>>& classes() {
  static const std::vector<std::pair<std::string, Draw>> all = {
      {"discs", discs},   {"rings", rings},     {"triangles", triangles}, {"net", net},       {"crosses", crosses},
      {"specks", specks}, {"stripes", stripes}, {"waves", waves},         {"checks", checks}, {"bricks", bricks}};
  return all;
}

}  // namespace

const std::vector<std::string>& shape_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& [name, draw] : classes()) {
      list.push_back(name);
    }
    return list;
  }();
  return names;
}

void draw_shape(int label, CounterRng rng, std::uint8_t* out) {
  Picture picture{.canvas = cv::Mat(canvas_side, canvas_side, CV_8UC3), .rng = rng};
  picture.cell = picture.rng.uniform(9.5F, 12.5F) * oversampling;
  picture.angle = picture.rng.uniform(0, 2 * std::numbers::pi_v<float>);
  picture.centre = {picture.rng.uniform(0, canvas_size), picture.rng.uniform(0, canvas_size)};
  paint_ground(picture);
  classes()[static_cast<std::size_t>(label)].second(picture);
  cv::Mat small(shape_side, shape_side, CV_8UC3, out);
  cv::resize(picture.canvas, small, small.size(), 0, 0, cv::INTER_AREA);
  balance(small);
}

}  // namespace relic
