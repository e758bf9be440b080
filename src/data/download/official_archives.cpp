#include <map>

#include "relic/data/download.h"

namespace relic {

const ArchiveSource* official_archive(const std::string& dataset_name) {
  static const std::map<std::string, ArchiveSource> sources = {
      {"cifar10",
       {.title = "CIFAR-10",
        .url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        .md5 = "c32a1d4ab5d03f1284b67883e8d87530",
        .bytes = 170'052'171,
        .unpacked_bytes = 185'000'000,
        .folder = "cifar-10-batches-bin"}},
      {"stl10",
       {.title = "STL-10",
        .url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
        .md5 = "91f7769df0f17e558f3565bffb0c7dfb",
        .bytes = 2'640'397'119,
        .unpacked_bytes = 3'130'000'000,
        .folder = "stl10_binary"}},
      {"tiny_imagenet",
       {.title = "Tiny ImageNet",
        .url = "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
        .md5 = "",
        .bytes = 248'100'043,
        .unpacked_bytes = 520'000'000,  // 120,000 small files, each in whole blocks
        .folder = "tiny-imagenet-200"}},
      {"food101",
       {.title = "Food-101",
        .url = "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
        .md5 = "",
        .bytes = 4'996'278'331,
        .unpacked_bytes = 5'300'000'000,
        .folder = "food-101"}},
  };
  const auto found = sources.find(dataset_name);
  return found == sources.end() ? nullptr : &found->second;
}

std::filesystem::path named_folder(const std::filesystem::path& path) {
  return std::filesystem::absolute(path / "").lexically_normal().parent_path();
}

}  // namespace relic
