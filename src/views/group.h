// Who carries out an operation's phases: one thread, element after element, here; a block of threads in a CUDA kernel.
//
// A phase is a number of independent elements; when for_each returns, all of them are done and visible to the whole
// group (a block of threads ends it with a barrier). Everything in ops/ is written as phases, in plain arithmetic and
// with the working memory handed in, so that both run the same definition (C++17, no LibTorch).
#pragma once

namespace relic::ops {

struct SerialGroup {
  /// Neighbouring elements that an element of a phase handles together, for vector units; 1 in a block of threads.
  static constexpr int lanes = 32;
  /// Whether a crop is first copied to rows that vector units can read to their end; a block of threads reads the
  /// image.
  static constexpr bool copies_crop = true;

  template <typename Element>
  constexpr void for_each(int count, const Element& element) const {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC ivdep
#endif
    for (int i = 0; i < count; ++i) element(i);
  }

  template <typename Element>
  constexpr void for_each(int rows, int columns, const Element& element) const {
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) element(row, column);
    }
  }

  /// Sum of term(0) … term(count − 1), known to the whole group.
  template <typename Term>
  constexpr unsigned sum(int count, const Term& term) const {
    unsigned total = 0;
    for (int i = 0; i < count; ++i) total += term(i);
    return total;
  }
};

/// Blocks of `lanes` that cover `count` elements, and a row length that whole blocks can read.
template <typename Group>
constexpr int lane_blocks(int count) {
  return (count + Group::lanes - 1) / Group::lanes;
}
template <typename Group>
constexpr int padded_row(int count) {
  return lane_blocks<Group>(count) * Group::lanes;
}

}  // namespace relic::ops
