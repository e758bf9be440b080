// A long evaluation, as seen from outside.
#pragma once

#include <functional>
#include <string>

#include "relic/data/dataset.h"

namespace relic {

struct Watch {
  /// Asked every second or so; true ends the work early with Interrupted.
  std::function<bool()> stop{};
  /// Told as often where the work has got: "512 of 50000".
  std::function<void(const std::string& where)> progress{};

  /// Told of an image that cannot be read, which is left out; without it, the first such image is an error.
  std::function<void(const BadImage&)> left_out{};

  void at(const std::string& where) const;
  /// The same watch over a part of the work, whose progress is told as "name, where".
  [[nodiscard]] Watch part(const std::string& name) const;
};

}  // namespace relic
