// @TITLE@
//
// Written by unseat @VERSION@. Needs C++17 and nothing else. The keys stay with you: give the constructor a pointer to
// the same sorted keys that the index was built on. Answers are right for any sorted keys of that number, as every one
// is checked against its neighbours; with other keys, or under -ffast-math, they only take longer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace @NAME@ {

using key_type = @KEY@;
/// What the model is built on: the keys themselves, or codes of texts.
using model_type = @MODEL@;

inline constexpr std::size_t size = @SIZE@;

namespace detail {
@ARRAYS@
}  // namespace detail

/// The number of keys less than a query, and the like. Any number of threads may share one.
class index {
 public:
@CONSTRUCTOR@
  /// How many keys are less than the query: `std::lower_bound`.
  std::size_t lower_bound(key_type query) const {
    return find(query, [&](std::size_t i) { return keys_[i] < query; });
  }

  /// How many keys are less than the query or equal to it: `std::upper_bound`.
  std::size_t upper_bound(key_type query) const {
    return find(query, [&](std::size_t i) { return !(query < keys_[i]); });
  }

  /// `lower_bound` of many queries, with their waits for memory overlapped.
  void lower_bounds(const key_type* queries, std::size_t count, std::size_t* out) const {
    constexpr std::size_t block = 32;
    std::pair<std::size_t, std::size_t> windows[block];
    for (std::size_t first = 0; first < count; first += block) {
      const std::size_t length = std::min(block, count - first);
      for (std::size_t j = 0; j < length; ++j) {
        windows[j] = around(queries[first + j]);
        prefetch(keys_ + (windows[j].first + windows[j].second) / 2);
      }
      for (std::size_t j = 0; j < length; ++j) {
        const key_type query = queries[first + j];
        out[first + j] = settle(windows[j], [&](std::size_t i) { return keys_[i] < query; });
      }
    }
  }

  /// Where the model says that the lower bound of a query lies: from the first to the second, both included.
  std::pair<std::size_t, std::size_t> around(key_type query) const {
    if (size == 0) return {0, 0};
@AROUND@
  }

 private:
  template <class Before>
  std::size_t find(key_type query, Before before) const {
    return settle(around(query), before);
  }

  /// The first place that is not before the query, near the window: where its ends are wrong they are moved.
  template <class Before>
  static std::size_t settle(std::pair<std::size_t, std::size_t> window, Before before) {
    std::size_t low = std::min(window.first, size), high = std::min(std::max(window.second, low), size);
    for (std::size_t step = 1; low > 0 && !before(low - 1); step *= 2) {
      high = low - 1;
      low -= std::min(step, low);
    }
    for (std::size_t step = 1; high < size && before(high); step *= 2) {
      low = high + 1;
      high += std::min(step, size - high);
    }
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (before(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  static void prefetch([[maybe_unused]] const void* address) {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(address);
#endif
  }

@CODE@
  /// See `around`; kernel @KERNEL@.
  std::pair<std::size_t, std::size_t> window([[maybe_unused]] model_type query) const {
@WINDOW@
  }

  const key_type* keys_;
@MEMBERS@
};

}  // namespace @NAME@
