#ifndef SWITCHYARD_RECORD_WALK_H_
#define SWITCHYARD_RECORD_WALK_H_

#include <cstddef>
#include <cstdint>

namespace switchyard {

// How far a server's stream is in clear: follows the headers of its TLS records (RFC 8446 section 5.1) up to the first of
// application data, or to a byte that can't begin a record. Four bytes, since every connection has one;
// dataplane/engine/record-walk.ts is its twin.
class RecordWalk {
 public:
  // Takes the next bytes of the stream. How many of them are to be shown: all, or up to the byte that ended the walk,
  // which is shown.
  size_t in_clear(const uint8_t* bytes, size_t size);

  // Nothing further is in clear.
  bool over() const { return header_read_ == kOver; }

 private:
  static constexpr uint8_t kOver = 0xff;

  uint16_t fragment_left_ = 0;
  uint8_t header_read_ = 0;  // of the five bytes; 0 while a fragment is passed over
};

}  // namespace switchyard

#endif  // SWITCHYARD_RECORD_WALK_H_
