#ifndef SWITCHYARD_ADDRESS_H_
#define SWITCHYARD_ADDRESS_H_

#include <cstdint>

namespace switchyard {

// A socket address in the form in which it crosses to JavaScript: 20 bytes, the port in host order, an IPv4 address in
// the first four bytes of `ip`. Family 0 is "none".
struct Address {
  uint8_t ip[16] = {};
  uint16_t port = 0;
  uint8_t family = 0;  // 4, 6 or 0
  uint8_t reserved = 0;

  bool operator==(const Address&) const = default;

  // True for 0.0.0.0 and ::, whose connections have a local address that only the socket knows.
  bool wildcard() const {
    for (const uint8_t byte : ip)
      if (byte != 0) return false;
    return true;
  }
};

static_assert(sizeof(Address) == 20, "records carry addresses as they are");

}  // namespace switchyard

#endif  // SWITCHYARD_ADDRESS_H_
