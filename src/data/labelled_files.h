// Image files with or without labels: what the readers of folders make, each from its own layout.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/file_list.h"
#include "relic/data/dataset.h"

namespace relic {

struct LabelledFiles {
  std::filesystem::path root{};
  FileList files{};                    ///< below root
  std::vector<std::int32_t> labels{};  ///< one a file; empty: none
  std::vector<std::string> classes{};

  void add(std::string_view file, std::int32_t label) {
    files.add(file);
    labels.push_back(label);
  }
};

/// All images below a folder, in the order of their names: whatever ends as an image file does (has_image_name), also
/// what turns out to be none when it is read. Links are followed, each folder is visited once; names that begin with a
/// dot are left out. Throws Error for a folder that cannot be read, or that holds no image.
LabelledFiles find_images(const std::filesystem::path& root);

/// Labels by the first folder in a file's path, where every file lies in one; the classes are the folders' names in
/// order. Leaves the files without labels where that makes less than two classes, or classes of one image each.
void label_by_folder(LabelledFiles& images);

/// Labels by given classes; a file in another folder is an Error.
void label_by_folder(LabelledFiles& images, const std::vector<std::string>& classes);

/// Adds a file that a list says to be of a class. Throws Error where `images` has no such class, naming the list, the
/// entry in it and the file that names the classes.
void add_listed(LabelledFiles& images, const std::string& file, const std::string& class_name,
                const std::filesystem::path& list, const std::string& entry, const std::string& classes_file);

/// Those of which `keep(index)` holds.
LabelledFiles select(const LabelledFiles& images, const std::function<bool(std::size_t)>& keep);
/// So many of them, evenly spread; all where `count` is 0 or more than there are.
LabelledFiles evenly_spread(LabelledFiles images, std::int64_t count);

/// A data set that decodes a file when its image is asked for.
FoundDataset found_files(LabelledFiles images);

}  // namespace relic
