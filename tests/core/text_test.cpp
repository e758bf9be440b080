#include "relic/core/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace relic {

TEST(Text, FixedAndShortestNumbers) {
  EXPECT_EQ(fixed(0.12345, 3), "0.123");
  EXPECT_EQ(fixed(-10.0, 2), "-10.00");
  EXPECT_EQ(fixed(-0.0001, 2), "0.00");
  EXPECT_EQ(fixed(-0.006, 2), "-0.01");
  EXPECT_EQ(fixed(std::numeric_limits<double>::max(), 0).size(), 309U);
  EXPECT_EQ(shortest(3e-4), "0.0003");
  EXPECT_EQ(shortest(1e-5), "1e-05");
  EXPECT_EQ(shortest(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(shortest(0.1 + 0.2), "0.30000000000000004");
}

TEST(Text, Durations) {
  EXPECT_EQ(duration_text(44.6), "45 s");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(727), "12:07");
  EXPECT_EQ(duration_text(3 * 3600 + 4 * 60 + 5), "3:04:05");
  EXPECT_EQ(duration_text(2 * 86400 + 3 * 3600), "2 d 3 h");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::infinity()), "?");
}

TEST(Text, Bytes) {
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1400), "1.4 KB");
  EXPECT_EQ(bytes_text(999999), "1.0 MB");
  EXPECT_EQ(bytes_text(230.1e6), "230.1 MB");
}

TEST(Text, OneLineEscapesControlCharactersAndNothingElse) {
  EXPECT_EQ(one_line("a b/é ü.png"), "a b/é ü.png");
  EXPECT_EQ(one_line("two\nlines\x1b[0m\x7f"), "two\\nlines\\x1b[0m\\x7f");
  EXPECT_EQ(one_line("\u009b31m, \u00a0 and \xc2"), "\\x9b31m, \u00a0 and \xc2");
}

TEST(Text, PaddedAndLowerCase) {
  EXPECT_EQ(padded("ab", 4), "ab  ");
  EXPECT_EQ(padded("abcd", 2), "abcd");
  EXPECT_EQ(lower_case("Content-LENGTH é9"), "content-length é9");
}

}  // namespace relic
