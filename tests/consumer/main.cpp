// What a program outside this repository needs to use the library.
#include <iostream>

#include "relic/nn/encoder.h"

int main() {
  const auto encoder = relic::make_encoder("resnet18", relic::Stem::cifar);
  encoder->eval();
  const torch::Tensor features = encoder->forward(torch::zeros({2, 3, 32, 32}));
  std::cout << "features of two images: " << features.sizes() << '\n';
  return features.size(1) == encoder->feature_dim() ? 0 : 1;
}
