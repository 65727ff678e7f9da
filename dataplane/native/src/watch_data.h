#ifndef SWITCHYARD_WATCH_DATA_H_
#define SWITCHYARD_WATCH_DATA_H_

#include <cstdint>

#include "check.h"

namespace switchyard {

// What epoll gives back with an event: who it is for, never a pointer or a descriptor. An event that was found before
// its connection ended in the same turn is known by its old generation.
struct WatchData {
  enum class Kind : uint8_t { kClient = 0, kServer = 1, kListening = 2, kMailbox = 3 };

  Kind kind;
  uint32_t index;       // slab index; the bind of a listening socket
  uint32_t generation;  // of the connection

  uint64_t packed() const {
    SWITCHYARD_CHECK(index < 1u << 30);
    return static_cast<uint64_t>(kind) << 62 | static_cast<uint64_t>(index) << 32 | generation;
  }
  static WatchData unpacked(uint64_t data) {
    return {static_cast<Kind>(data >> 62), static_cast<uint32_t>(data >> 32) & ((1u << 30) - 1),
            static_cast<uint32_t>(data)};
  }
};

}  // namespace switchyard

#endif  // SWITCHYARD_WATCH_DATA_H_
