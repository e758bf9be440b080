// A long evaluation, as seen from outside.
#pragma once

#include <functional>
#include <string>

namespace relic {

struct Watch {
  /// Asked every second or so; true ends the work early with Interrupted.
  std::function<bool()> stop{};
  /// Told as often where the work has got: "512 of 50000".
  std::function<void(const std::string& where)> progress{};

  void at(const std::string& where) const;
};

}  // namespace relic
