#ifndef SWITCHYARD_SYSTEM_ADDRESS_H_
#define SWITCHYARD_SYSTEM_ADDRESS_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"

// Addresses as the kernel has them.
namespace switchyard::sys {

union AnySocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

inline socklen_t to_system(const Address& address, AnySocketAddress* system) {
  memset(system, 0, sizeof *system);
  if (address.family == 6) {
    system->v6.sin6_family = AF_INET6;
    system->v6.sin6_port = htons(address.port);
    memcpy(&system->v6.sin6_addr, address.ip, 16);
    return sizeof system->v6;
  }
  system->v4.sin_family = AF_INET;
  system->v4.sin_port = htons(address.port);
  memcpy(&system->v4.sin_addr, address.ip, 4);
  return sizeof system->v4;
}

inline Address from_system(const AnySocketAddress& system) {
  Address address;
  if (system.any.sa_family == AF_INET6) {
    address.family = 6;
    address.port = ntohs(system.v6.sin6_port);
    memcpy(address.ip, &system.v6.sin6_addr, 16);
  } else if (system.any.sa_family == AF_INET) {
    address.family = 4;
    address.port = ntohs(system.v4.sin_port);
    memcpy(address.ip, &system.v4.sin_addr, 4);
  }
  return address;
}

inline int system_family(uint8_t family) { return family == 6 ? AF_INET6 : AF_INET; }

}  // namespace switchyard::sys

#endif  // SWITCHYARD_SYSTEM_ADDRESS_H_
