#include "print.h"

#include <iostream>

#include "relic/core/error.h"

namespace relic {

void print(const std::string& text) {
  std::cout << text << std::flush;
  if (!std::cout) throw Error("standard output cannot be written to");
}

}  // namespace relic
