// Names of many files, in little memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relic {

/// A million names of 40 characters take 48 MB; as strings they would take 80.
class FileList {
 public:
  void add(std::string_view name) {
    characters_ += name;
    ends_.push_back(characters_.size());
  }
  void shrink_to_fit() {
    characters_.shrink_to_fit();
    ends_.shrink_to_fit();
  }
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(characters_).substr(begin, ends_[index] - begin);
  }

 private:
  std::string characters_;
  std::vector<std::uint64_t> ends_;
};

}  // namespace relic
