// A file fetched over HTTP, whatever happens on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "data/download/part_file.h"
#include "relic/data/download.h"

namespace relic {

struct FetchRequest {
  std::string url;
  std::uint64_t bytes = 0;           ///< size that the file must have; 0: any
  bool checked = false;              ///< whether a wrong file would be found out afterwards
  std::uint64_t unpacked_bytes = 0;  ///< to be had free besides
};

struct FetchEvents {
  std::function<void(std::uint64_t done, std::uint64_t total)> tick;  ///< several times a second; total 0: not known
  std::function<void(const std::string& line)> log;
};

enum class Fetched { in_one_piece, in_pieces };

/// Gets the whole file into `part`, going on with what is there if it is of the same file. Transfers that are cut,
/// stall or are turned away for now are tried again with growing pauses. Throws Error with address and reason, and what
/// `tick` throws (which is called in pauses, too); the part stays then.
Fetched fetch(const FetchRequest& request, const Patience& patience, PartFile& part, const FetchEvents& events);

}  // namespace relic
