// A data set's folder as an input of a fuzzer describes it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "relic/data/dataset.h"

namespace relic::testing {

/// Writes `files` into `folder` and gives the request for them. An input is a byte for the split, one for max_images,
/// then for each file two numbers of two bytes, how many bytes come after them and how many zeros after those; so a few
/// bytes can say a file of many images. A file whose first number is 65535, or for which no numbers are left, is not
/// there.
DatasetRequest make_dataset_files(std::string_view input, const std::filesystem::path& folder,
                                  const std::vector<std::string>& files);

/// Opens a data set and looks at every byte that it offers. Ends in an Error, or with all of it being as promised.
void look_at_dataset(const DatasetRequest& request);

}  // namespace relic::testing
