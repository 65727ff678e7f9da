#ifndef SWITCHYARD_PROXY_FRAMING_H_
#define SWITCHYARD_PROXY_FRAMING_H_

#include <cstddef>
#include <cstdint>

namespace switchyard {

// Finds the end of a PROXY protocol header (HAProxy's document, versions 1 and 2) at the head of a stream. It judges
// nothing, neither who may send one nor what it says: dataplane/engine/proxy-gate.ts does. Each byte is looked at once.
class ProxyFraming {
 public:
  enum class Found : uint8_t {
    kMore,  // it may become a header, or is one that goes on
    kAsk,   // there is something to judge; if it passes, what comes next is for another call
    kPast,  // what is at `end` and behind it is the client's own
  };

  // Looks at the bytes of the stream from where it stopped.
  Found look(const uint8_t* bytes, size_t size);

  // The header's length once it is past; 0 where there is none.
  uint32_t end() const { return end_; }

 private:
  enum class Stage : uint8_t { kSignature, kLine, kPreamble, kBlock, kPast };

  Found look_at_line(const uint8_t* bytes, size_t size);

  uint32_t looked_ = 0;
  uint32_t end_ = 0;
  Stage stage_ = Stage::kSignature;
};

}  // namespace switchyard

#endif  // SWITCHYARD_PROXY_FRAMING_H_
