#include "report_ring.h"

#include <string.h>

#include "check.h"
#include "limits.h"
#include "syscalls.h"
#include "wire.h"

namespace switchyard {

ReportRing::ReportRing(size_t capacity)
    : bytes_(static_cast<uint8_t*>(sys::map_pages(capacity))), capacity_(capacity) {}

ReportRing::~ReportRing() {
  if (bytes_ != nullptr) sys::unmap_pages(bytes_, capacity_);
}

size_t ReportRing::room() const {
  return capacity_ - static_cast<size_t>(written_.load(std::memory_order_relaxed) -
                                         read_.load(std::memory_order_acquire));
}

uint8_t* ReportRing::reserve(size_t size) {
  SWITCHYARD_CHECK(size % 8 == 0 && size >= sizeof(wire::Header) && size <= capacity_ / 2);
  uint64_t written = written_.load(std::memory_order_relaxed);
  const size_t at = static_cast<size_t>(written % capacity_);
  const size_t to_end = capacity_ - at;
  // A reader that keeps up has emptied the ring: then it begins again from its start, so that the same few pages are
  // used over and over, which stay in the cache, and the others are never touched.
  const bool rewind = at >= limits::kReportRingHotBytes && size <= at && written == read_.load(std::memory_order_acquire);
  if (to_end >= size && !rewind) return room() >= size ? bytes_ + at : nullptr;
  if (room() < to_end + size) return nullptr;
  // Records are multiples of 8 bytes, so there is always room for the two words that tell a filler.
  uint32_t filler[2] = {static_cast<uint32_t>(to_end), static_cast<uint32_t>(wire::ReportKind::kFiller)};
  memcpy(bytes_ + at, filler, sizeof filler);
  written_.store(written + to_end, std::memory_order_release);
  return bytes_;
}

void ReportRing::commit(size_t size) {
  written_.store(written_.load(std::memory_order_relaxed) + size, std::memory_order_release);
}

size_t ReportRing::drain(uint8_t* into, size_t capacity) {
  const uint64_t written = written_.load(std::memory_order_acquire);
  uint64_t read = read_.load(std::memory_order_relaxed);
  size_t copied = 0;
  while (read < written) {
    const uint8_t* record = bytes_ + read % capacity_;
    uint32_t head[2];
    memcpy(head, record, sizeof head);
    SWITCHYARD_CHECK(head[0] >= 8 && head[0] % 8 == 0 && head[0] <= written - read);
    if (static_cast<uint8_t>(head[1]) != static_cast<uint8_t>(wire::ReportKind::kFiller)) {
      if (head[0] > capacity - copied) break;
      memcpy(into + copied, record, head[0]);
      copied += head[0];
    }
    read += head[0];
  }
  read_.store(read, std::memory_order_release);
  return copied;
}

bool ReportRing::empty() const {
  return written_.load(std::memory_order_acquire) == read_.load(std::memory_order_relaxed);
}

}  // namespace switchyard
