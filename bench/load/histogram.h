#pragma once

#include <bit>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace load {

// Latencies in nanoseconds, in log-linear buckets: 128 to each power of two, so a quantile is at most 0.8% too low.
class Histogram {
 public:
  Histogram() : buckets_(64 * perPower) {}

  void add(std::uint64_t nanoseconds) {
    buckets_[bucketOf(nanoseconds)] += 1;
    count_ += 1;
    if (nanoseconds > max_) max_ = nanoseconds;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

  // The lower bound of the bucket that holds the q-th value; 0 where nothing was added.
  [[nodiscard]] std::uint64_t quantile(double q) const {
    const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < buckets_.size(); index += 1) {
      seen += buckets_[index];
      if (seen > rank) return lowerBound(index);
    }
    return max_;
  }

  // `"latencyUs":{"p50":1.0,"p99":2.0,"p999":3.0,"max":4.0}`
  void print() const {
    std::printf("\"latencyUs\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}", microseconds(quantile(0.5)),
                microseconds(quantile(0.9)), microseconds(quantile(0.99)), microseconds(quantile(0.999)), microseconds(max_));
  }

 private:
  static constexpr std::size_t perPower = 128;
  static constexpr int perPowerBits = 7;

  static double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000.0; }

  static std::size_t bucketOf(std::uint64_t value) {
    if (value < perPower) return static_cast<std::size_t>(value);
    const int shift = static_cast<int>(std::bit_width(value)) - 1 - perPowerBits;
    return static_cast<std::size_t>(shift + 1) * perPower + static_cast<std::size_t>((value >> shift) - perPower);
  }

  static std::uint64_t lowerBound(std::size_t bucket) {
    if (bucket < perPower) return bucket;
    const auto shift = bucket / perPower - 1;
    return (bucket % perPower + perPower) << shift;
  }

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace load
