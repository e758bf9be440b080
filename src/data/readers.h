// How each data set is found; see find_dataset.
#pragma once

#include <filesystem>

#include "relic/data/dataset.h"

namespace relic {

/// The folder of a data set that has an official archive. Throws Error, with how to get it, where it is not there.
std::filesystem::path dataset_root(const DatasetRequest& request);

/// CIFAR-10 in its official binary layout, from request.path/cifar-10-batches-bin, into memory.
FoundDataset find_cifar10(const DatasetRequest& request);

/// STL-10 in its official binary layout, from request.path/stl10_binary.
FoundDataset find_stl10(const DatasetRequest& request);

/// Tiny ImageNet as its zip is laid out, from request.path/tiny-imagenet-200; its labelled validation images are the
/// test split.
FoundDataset find_tiny_imagenet(const DatasetRequest& request);

/// Food-101 as its tar is laid out, from request.path/food-101.
FoundDataset find_food101(const DatasetRequest& request);

/// ImageNet in class folders, from train and val in request.path/imagenet1k or in request.path itself.
FoundDataset find_imagenet1k(const DatasetRequest& request);

/// Any folder of images: request.path, or its train and test (or val) folders.
FoundDataset find_folder(const DatasetRequest& request);

/// Drawn shapes and textures, made here from request.seed.
FoundDataset find_shapes(const DatasetRequest& request);

}  // namespace relic
