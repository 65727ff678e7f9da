#ifndef SWITCHYARD_HELLO_FRAMING_H_
#define SWITCHYARD_HELLO_FRAMING_H_

#include <cstddef>
#include <cstdint>

#include "proxy_framing.h"

namespace switchyard {

// Knows when it is worth asking JavaScript about a hello: when its last byte is there, or as soon as something is off.
// It judges nothing. dataplane/hello/ parses the same bytes, has the reasons, and may answer that it needs more. Here
// are only record headers (RFC 8446 section 5.1) and the message's length (section 4), read as they come, each byte
// once, so that a hello which drips costs no more than one that comes at once. A PROXY header may be in front; it is asked
// about by itself where the hello is not there yet.
class HelloFraming {
 public:
  // Looks at the bytes of the stream from where it stopped. True once there is something to show to JavaScript. If that is
  // the hello, every further call is true as well.
  bool ready(const uint8_t* bytes, size_t size, uint32_t hello_bytes_max);

 private:
  bool hello_ready(const uint8_t* bytes, size_t size, uint32_t hello_bytes_max);

  ProxyFraming proxy_;
  bool past_proxy_ = false;
  uint32_t next_record_ = 0;     // offset of the next record's header in the stream
  uint32_t message_bytes_ = 0;   // of the handshake message, in the records so far
  uint32_t message_length_ = 0;  // header included; 0 before it is known
  uint32_t length_bytes_ = 0;    // of the message's header, read so far: 0 to 4
  bool ready_ = false;
};

}  // namespace switchyard

#endif  // SWITCHYARD_HELLO_FRAMING_H_
