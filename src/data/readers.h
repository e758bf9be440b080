// How each data set is opened.
#pragma once

#include <memory>

#include "relic/data/dataset.h"

namespace relic {

/// CIFAR-10 in its official binary layout, from request.path/cifar-10-batches-bin, into memory.
std::unique_ptr<Dataset> open_cifar10(const DatasetRequest& request);
std::int64_t count_cifar10(const DatasetRequest& request);

/// Drawn shapes and textures, made here from request.seed.
std::unique_ptr<Dataset> make_shapes(const DatasetRequest& request);
std::int64_t count_shapes(const DatasetRequest& request);

}  // namespace relic
