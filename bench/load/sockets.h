#pragma once

#include <netinet/in.h>
#include <sys/epoll.h>

#include <cstdint>

#include "descriptor.h"
#include "fault.h"

namespace load {

// Nanoseconds of the monotonic clock, the same for every process of the machine.
std::uint64_t now();

inline constexpr std::uint64_t nanosecondsPerSecond = 1'000'000'000;

// A non-blocking TCP socket on which connect was called. Over loopback the handshake is over when connect returns, even
// where it says EINPROGRESS, unless the listener's queue is full. `fault` says why the descriptor is closed.
Descriptor dial(const sockaddr_in& target, Fault& fault);

// A non-blocking listener on the address; accepts are handed over with their first bytes.
Descriptor listenOn(const sockaddr_in& address);

std::uint16_t boundPort(int socket);

// epoll, with each failure fatal: a generator that misses events would measure nonsense.
Descriptor makeEpoll();
void watch(int epoll, int fd, std::uint32_t events, std::uint64_t key);
void rewatch(int epoll, int fd, std::uint32_t events, std::uint64_t key);

// Waits for events until `deadline` (nanoseconds, `now`'s clock; 0 for ever). Answers how many came.
int waitForEvents(int epoll, epoll_event* events, int capacity, std::uint64_t deadline);

// Reads and drops what has come, without copying it (tcp(7), MSG_TRUNC). As recv(2).
ssize_t discard(int socket, std::size_t most);

// Lifts the soft limit of descriptors to the hard one.
void liftDescriptorLimit();

}  // namespace load
