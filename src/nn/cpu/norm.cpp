#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "nn/cpu/lanes.h"
#include "nn/cpu/norm_passes.h"
#include "nn/cpu/targets.h"
#include "nn/device_norm.h"

namespace relic::cpu_norm {

using norm_pass::Backward;
using norm_pass::Forward;
using norm_pass::Shape;
using norm_pass::Type;

namespace {

/// The passes over values of one type, compiled for one kind of vectors.
template <typename Value>
struct Compiled {
  using Apply = void (*)(Rows, const Value*, const Value*, const float*, const float*, Value*);
  using GradientSums = void (*)(Rows, Gradient<Value>, double*, double*);
  using ApplyGradient = void (*)(Rows, Gradient<Value>, const float*, const float*, Value*);

  bool (*available)();
  std::int64_t lanes;
  void (*moments)(Rows, const Value*, double*, double*);
  std::array<std::array<Apply, 2>, 2> apply;  // without and with ReLU, without and with a shortcut
  std::array<GradientSums, 3> gradient_sums;  // by Passed
  std::array<ApplyGradient, 3> apply_gradient;
};

template <typename On, int lanes, typename Value, typename Passes = NormPasses<Lanes<lanes>, Value>>
constexpr Compiled<Value> compiled{
    On::available,
    lanes,
    On::template run<Passes::moments>,
    {{{On::template run<Passes::template apply<false, false>>, On::template run<Passes::template apply<false, true>>},
      {On::template run<Passes::template apply<true, false>>, On::template run<Passes::template apply<true, true>>}}},
    {On::template run<Passes::template gradient_sums<Passed::all>>,
     On::template run<Passes::template gradient_sums<Passed::by_x>>,
     On::template run<Passes::template gradient_sums<Passed::by_y>>},
    {On::template run<Passes::template apply_gradient<Passed::all>>,
     On::template run<Passes::template apply_gradient<Passed::by_x>>,
     On::template run<Passes::template apply_gradient<Passed::by_y>>}};

template <typename Value>
const Compiled<Value>* passes_for(std::int64_t channels) {
  return that_runs({&compiled<OnAvx512, 16, Value>, &compiled<OnAvx2, 8, Value>}, channels);
}

/// The rows in as many parts as there are threads, so that sums are of the same parts each time.
class Parts {
 public:
  explicit Parts(const Shape& shape) : shape_(shape) {
    constexpr std::int64_t least_values = 16384;
    const std::int64_t worth = shape.rows * shape.channels / least_values;
    count_ = std::clamp<std::int64_t>(worth, 1, at::get_num_threads());
  }
  [[nodiscard]] std::int64_t count() const { return count_; }
  /// Calls take(part, rows) for all parts, at once.
  template <typename Take>
  void for_each(const Take& take) const {
    at::parallel_for(0, count_, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t part = first; part < last; ++part) {
        take(part, Rows{begin(part), begin(part + 1), shape_.channels});
      }
    });
  }
  /// Its first row.
  [[nodiscard]] std::int64_t begin(std::int64_t part) const { return shape_.rows * part / count_; }

 private:
  Shape shape_;
  std::int64_t count_ = 1;
};

/// One number for each part and channel.
class PartSums {
 public:
  PartSums(const Parts& parts, std::int64_t channels)
      : channels_(channels), values_(static_cast<std::size_t>(parts.count() * channels)) {}
  double* of(std::int64_t part) { return values_.data() + part * channels_; }
  [[nodiscard]] double at(std::int64_t part, std::int64_t channel) const {
    return values_[static_cast<std::size_t>(part * channels_ + channel)];
  }

 private:
  std::int64_t channels_;
  std::vector<double> values_;
};

struct Affine {
  std::vector<float> scale;
  std::vector<float> shift;
};

/// x̂·weight + bias as x·scale + shift: the same numbers on the way forth and back, where they tell what ReLU lets pass.
Affine affine_of(const float* weight, const float* bias, const float* mean, const float* inverse_deviation,
                 int channels) {
  Affine affine;
  for (int c = 0; c < channels; ++c) {
    affine.scale.push_back(weight[c] * inverse_deviation[c]);
    affine.shift.push_back(bias[c] - mean[c] * affine.scale.back());
  }
  return affine;
}

template <typename Value>
void find_statistics(const Forward& what, const Compiled<Value>& passes, const Parts& parts) {
  const int channels = what.shape.channels;
  PartSums means(parts, channels);
  PartSums squares(parts, channels);
  parts.for_each([&](std::int64_t part, Rows rows) {
    passes.moments(rows, static_cast<const Value*>(what.x), means.of(part), squares.of(part));
  });
  const auto count = static_cast<double>(what.shape.rows);
  for (int c = 0; c < channels; ++c) {
    double mean = 0;
    double square = 0;
    for (std::int64_t part = 0; part < parts.count(); ++part) {
      const auto before = static_cast<double>(parts.begin(part));
      const double weight = 1 - before / static_cast<double>(parts.begin(part + 1));
      const double shift = means.at(part, c) - mean;
      mean += shift * weight;
      square += squares.at(part, c) + shift * shift * (before * weight);
    }
    what.mean[c] = static_cast<float>(mean);
    what.inverse_deviation[c] = static_cast<float>(1 / std::sqrt(square / count + static_cast<double>(what.epsilon)));
    const auto unbiased = static_cast<float>(square / (count - 1));
    what.running_mean[c] += what.momentum * (what.mean[c] - what.running_mean[c]);
    what.running_variance[c] += what.momentum * (unbiased - what.running_variance[c]);
  }
  ++*what.batches;
}

template <typename Value>
void forward_of(const Forward& what) {
  const auto& passes = *passes_for<Value>(what.shape.channels);
  const Parts parts(what.shape);
  find_statistics<Value>(what, passes, parts);
  const Affine affine = affine_of(what.weight, what.bias, what.mean, what.inverse_deviation, what.shape.channels);
  const auto apply = passes.apply[what.relu ? 1 : 0][what.shortcut != nullptr ? 1 : 0];
  parts.for_each([&](std::int64_t /*part*/, Rows rows) {
    apply(rows, static_cast<const Value*>(what.x), static_cast<const Value*>(what.shortcut), affine.scale.data(),
          affine.shift.data(), static_cast<Value*>(what.y));
  });
}

/// dx = a·(dz − mean(dz) − x̂·mean(dz·x̂)), a = weight/deviation, written as dz·a + (x − mean)·of_x + constant, which
/// keeps its digits where the mean is large.
struct GradientFactors {
  std::vector<float> of_x;
  std::vector<float> constant;
};

GradientFactors finish_sums(const Backward& what, const Parts& parts, const PartSums& sums, const PartSums& products) {
  GradientFactors factors;
  const auto count = static_cast<double>(what.shape.rows);
  for (int c = 0; c < what.shape.channels; ++c) {
    double sum = 0;
    double product = 0;
    for (std::int64_t part = 0; part < parts.count(); ++part) {
      sum += sums.at(part, c);
      product += products.at(part, c);
    }
    const auto inverse = static_cast<double>(what.inverse_deviation[c]);
    const double scale = static_cast<double>(what.weight[c]) * inverse;
    const double slope = product / count * inverse * inverse;
    what.bias_gradient[c] = static_cast<float>(sum);
    what.weight_gradient[c] = static_cast<float>(product * inverse);
    factors.of_x.push_back(static_cast<float>(-scale * slope));
    factors.constant.push_back(static_cast<float>(-scale * sum / count));
  }
  return factors;
}

template <typename Value>
void backward_of(const Backward& what) {
  const auto& passes = *passes_for<Value>(what.shape.channels);
  const Parts parts(what.shape);
  const Affine affine = affine_of(what.weight, what.bias, what.mean, what.inverse_deviation, what.shape.channels);
  Gradient<Value> of{static_cast<const Value*>(what.x),
                     static_cast<const Value*>(what.y),
                     static_cast<const Value*>(what.y_gradient),
                     affine.scale.data(),
                     affine.shift.data(),
                     what.mean,
                     static_cast<Value*>(what.shortcut_gradient)};
  Passed passed = !what.relu ? Passed::all : what.y != nullptr ? Passed::by_y : Passed::by_x;
  PartSums sums(parts, what.shape.channels);
  PartSums products(parts, what.shape.channels);
  const auto add = passes.gradient_sums[static_cast<std::size_t>(passed)];
  parts.for_each([&](std::int64_t part, Rows rows) { add(rows, of, sums.of(part), products.of(part)); });
  const GradientFactors factors = finish_sums(what, parts, sums, products);
  if (of.kept != nullptr) {  // what ReLU let pass is known now
    of.y_gradient = of.kept;
    passed = Passed::all;
  }
  const auto apply = passes.apply_gradient[static_cast<std::size_t>(passed)];
  parts.for_each([&](std::int64_t /*part*/, Rows rows) {
    apply(rows, of, factors.of_x.data(), factors.constant.data(), static_cast<Value*>(what.x_gradient));
  });
}

}  // namespace

bool fits(const Shape& shape) {
  if (shape.rows < 2 || shape.channels < 1 || shape.channels > kMostChannels) {
    return false;
  }
  return (shape.type == Type::float32 && passes_for<float>(shape.channels) != nullptr) ||
         (shape.type == Type::bfloat16 && passes_for<Bfloat16>(shape.channels) != nullptr);
}

void forward(const Forward& what) {
  what.shape.type == Type::float32 ? forward_of<float>(what) : forward_of<Bfloat16>(what);
}

void backward(const Backward& what) {
  what.shape.type == Type::float32 ? backward_of<float>(what) : backward_of<Bfloat16>(what);
}

}  // namespace relic::cpu_norm
