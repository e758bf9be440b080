// How a setting of each kind is read, written and checked: fills what a row of the table leaves to its type.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "relic/train/settings.h"

namespace relic::setting {

/// Above it no count makes sense, and sums and products of a few counts stay within 64 bits below it.
inline constexpr std::int64_t kManyTimes = 1'000'000'000'000;

Setting flag(bool TrainConfig::*field, Setting row);
/// low … high; up to kManyTimes is called "of at least low".
Setting integer(std::int64_t TrainConfig::*field, std::int64_t low, std::int64_t high, Setting row);
/// 0 … 2⁶³ − 1, the non-negative integers of TOML.
Setting seed(std::uint64_t TrainConfig::*field, Setting row);
/// At least 0, or within [0, 1].
Setting rate(double TrainConfig::*field, Setting row);
Setting share(double TrainConfig::*field, Setting row);
Setting text(std::string TrainConfig::*field, Setting row);
/// One of row.choices; where `may_be_empty`, no text stands for none of them.
Setting choice(std::string TrainConfig::*field, bool may_be_empty, Setting row);
/// Where not `may_be_empty`, no text is a problem.
Setting path(std::filesystem::path TrainConfig::*field, bool may_be_empty, Setting row);

/// "--name value: must be allowed"; a value that is empty or holds spaces comes in quotes.
std::string refusal(const Setting& row, const std::string& value);
/// "a, b or c"
std::string any_of(const std::vector<std::string>& names);

}  // namespace relic::setting
