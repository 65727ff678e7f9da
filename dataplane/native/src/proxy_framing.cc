#include "proxy_framing.h"

#include <algorithm>

namespace switchyard {
namespace {

constexpr uint8_t kSignature1[] = {'P', 'R', 'O', 'X', 'Y', ' '};
constexpr uint8_t kSignature2[] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
constexpr size_t kLineBytesMax = 107;
constexpr size_t kPreambleBytes = 16;

}  // namespace

ProxyFraming::Found ProxyFraming::look(const uint8_t* bytes, size_t size) {
  if (stage_ == Stage::kSignature) {
    if (size == 0) return Found::kMore;
    const bool version1 = bytes[0] == kSignature1[0];
    const uint8_t* signature = version1 ? kSignature1 : kSignature2;
    const size_t length = version1 ? sizeof kSignature1 : sizeof kSignature2;
    for (; looked_ < std::min(size, length); looked_ += 1)
      if (bytes[looked_] != signature[looked_]) {
        stage_ = Stage::kPast;
        return Found::kPast;
      }
    if (looked_ < length) return Found::kMore;
    stage_ = version1 ? Stage::kLine : Stage::kPreamble;
  }
  switch (stage_) {
    case Stage::kLine:
      return look_at_line(bytes, size);
    case Stage::kPreamble:
      if (size < kPreambleBytes) return Found::kMore;
      end_ = kPreambleBytes + (static_cast<uint32_t>(bytes[14]) << 8 | bytes[15]);
      // Much that is wrong shows here already, so it is asked before the rest has come.
      stage_ = size < end_ ? Stage::kBlock : Stage::kPast;
      return Found::kAsk;
    case Stage::kBlock:
      if (size < end_) return Found::kMore;
      stage_ = Stage::kPast;
      return Found::kAsk;
    case Stage::kSignature:
    case Stage::kPast:
      return Found::kPast;
  }
  return Found::kPast;
}

// A line that is longer than may be ends there, to be refused.
ProxyFraming::Found ProxyFraming::look_at_line(const uint8_t* bytes, size_t size) {
  while (looked_ < size) {
    const uint8_t byte = bytes[looked_];
    looked_ += 1;
    if (byte != '\n' && looked_ < kLineBytesMax) continue;
    end_ = looked_;
    stage_ = Stage::kPast;
    return Found::kAsk;
  }
  return Found::kMore;
}

}  // namespace switchyard
