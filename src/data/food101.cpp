#include <filesystem>
#include <string>
#include <vector>

#include "data/labelled_files.h"
#include "data/readers.h"
#include "relic/core/error.h"
#include "relic/core/file.h"

namespace relic {

FoundDataset find_food101(const DatasetRequest& request) {
  const std::filesystem::path root = dataset_root(request);
  LabelledFiles images{.root = root / "images", .classes = read_lines(root / "meta/classes.txt")};
  const auto list = root / (request.split == Split::test ? "meta/test.txt" : "meta/train.txt");
  for (const std::string& line : read_lines(list)) {  // "apple_pie/1005649"
    add_listed(images, line + ".jpg", line.substr(0, line.find('/')), list, line, "classes.txt");
  }
  if (images.files.size() == 0) throw Error(list.string() + ": names no image; unpack the archive again");
  return found_files(evenly_spread(std::move(images), request.max_images));
}

}  // namespace relic
