#include "hello_framing.h"

#include <algorithm>

namespace switchyard {
namespace {

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHello = 1;
constexpr uint32_t kRecordHeaderBytes = 5;
constexpr uint32_t kMessageHeaderBytes = 4;
constexpr uint32_t kFragmentBytesMax = 1 << 14;

}  // namespace

bool HelloFraming::ready(const uint8_t* bytes, size_t size, uint32_t hello_bytes_max) {
  if (!past_proxy_) {
    const ProxyFraming::Found found = proxy_.look(bytes, size);
    if (found != ProxyFraming::Found::kPast) return found == ProxyFraming::Found::kAsk;
    past_proxy_ = true;
    next_record_ = proxy_.end();
  }
  return hello_ready(bytes, size, hello_bytes_max);
}

bool HelloFraming::hello_ready(const uint8_t* bytes, size_t size, uint32_t hello_bytes_max) {
  while (!ready_ && next_record_ < size) {
    const uint8_t* record = bytes + next_record_;
    const size_t there = size - next_record_;
    if (record[0] != kHandshakeRecord || (there > 1 && record[1] != 3)) return ready_ = true;
    if (there < kRecordHeaderBytes) return false;
    const uint32_t fragment = static_cast<uint32_t>(record[3]) << 8 | record[4];
    if (fragment == 0 || fragment > kFragmentBytesMax) return ready_ = true;

    // The message's header may itself lie in several records. `length_bytes_` counts what was read of it; a record
    // that is cut inside the header is read again from its start, hence the difference to `message_bytes_`.
    const uint8_t* body = record + kRecordHeaderBytes;
    const uint32_t body_there = static_cast<uint32_t>(std::min<size_t>(there - kRecordHeaderBytes, fragment));
    for (uint32_t at = length_bytes_ - std::min(length_bytes_, message_bytes_); length_bytes_ < kMessageHeaderBytes;
         at += 1) {
      if (at >= body_there) break;
      if (length_bytes_ == 0) {
        if (body[at] != kClientHello) return ready_ = true;
      } else {
        message_length_ = message_length_ << 8 | body[at];
      }
      length_bytes_ += 1;
      if (length_bytes_ == kMessageHeaderBytes) message_length_ += kMessageHeaderBytes;
    }
    const bool length_known = length_bytes_ == kMessageHeaderBytes;
    if (length_known && message_length_ > hello_bytes_max) return ready_ = true;
    // Bytes of the record behind the hello are a fault that is certain as soon as both lengths are.
    if (length_known && message_bytes_ + fragment > message_length_) return ready_ = true;
    if (body_there < fragment) return false;
    message_bytes_ += fragment;
    next_record_ += kRecordHeaderBytes + fragment;
    if (length_known && message_bytes_ == message_length_) return ready_ = true;
  }
  return ready_;
}

}  // namespace switchyard
