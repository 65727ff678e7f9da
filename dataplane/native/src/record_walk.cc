#include "record_walk.h"

#include <algorithm>

namespace switchyard {
namespace {

constexpr uint8_t kContentTypeMin = 20;
constexpr uint8_t kApplicationData = 23;
constexpr uint8_t kContentTypeMax = 24;
constexpr uint8_t kVersionMajor = 3;

}  // namespace

size_t RecordWalk::in_clear(const uint8_t* bytes, size_t size) {
  size_t at = 0;
  while (at < size && !over()) {
    if (fragment_left_ > 0 && header_read_ == 0) {
      const size_t passed = std::min<size_t>(fragment_left_, size - at);
      fragment_left_ = static_cast<uint16_t>(fragment_left_ - passed);
      at += passed;
      continue;
    }
    const uint8_t byte = bytes[at];
    at += 1;
    const bool alien = byte < kContentTypeMin || byte > kContentTypeMax || byte == kApplicationData;
    if ((header_read_ == 0 && alien) || (header_read_ == 1 && byte != kVersionMajor)) {
      header_read_ = kOver;
    } else if (header_read_ < 3) {
      header_read_ += 1;
    } else {
      // Of the length, which any 16 bits may be: what it says is skipped and nothing is kept.
      fragment_left_ = static_cast<uint16_t>(fragment_left_ << 8 | byte);
      header_read_ = header_read_ == 3 ? 4 : 0;
    }
  }
  return at;
}

}  // namespace switchyard
