#ifndef SWITCHYARD_REPORT_RING_H_
#define SWITCHYARD_REPORT_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace switchyard {

// Records of `wire.h` from one engine thread to the JavaScript thread: one writer, one reader, no lock, bounded. A
// record lies in one piece; where the end of the ring is too short for it, a filler takes the rest.
class ReportRing {
 public:
  explicit ReportRing(size_t capacity);  // a power of two
  ReportRing(const ReportRing&) = delete;
  ReportRing& operator=(const ReportRing&) = delete;
  ~ReportRing();

  bool made() const { return bytes_ != nullptr; }

  // For the writer: room for a record of `size` bytes (a multiple of 8), or null. It is seen by the reader at `commit`.
  uint8_t* reserve(size_t size);
  void commit(size_t size);
  size_t room() const;

  // For the reader: copies whole records to `into`, as many as fit, and frees their room. Never splits a record.
  size_t drain(uint8_t* into, size_t capacity);
  bool empty() const;

 private:
  uint8_t* bytes_;
  const size_t capacity_;
  alignas(64) std::atomic<uint64_t> written_{0};
  alignas(64) std::atomic<uint64_t> read_{0};
};

}  // namespace switchyard

#endif  // SWITCHYARD_REPORT_RING_H_
