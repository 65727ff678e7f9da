#ifndef SWITCHYARD_SYSCALLS_H_
#define SWITCHYARD_SYSCALLS_H_

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>

#include "address.h"

// Every system call of the engine, and nothing else. Each repeats itself on EINTR and answers with errno as a value, so
// that no caller can forget that a call may fail.
namespace switchyard::sys {

struct IoResult {
  size_t count;  // bytes moved; 0 with error 0 is the end of the stream
  int error;     // 0, or errno; EAGAIN where nothing can be moved now
};

struct FileResult {
  int fd;     // -1 on error; the caller owns it otherwise
  int error;  // 0, or errno
};

struct AcceptResult {
  int fd;
  int error;
  Address source;
};

// ---- streams

IoResult receive(int fd, void* into, size_t size);
IoResult send(int fd, const void* from, size_t size);
// The same where shutdown_write or close_file follows at once: the FIN then shares the last segment.
IoResult send_last(int fd, const void* from, size_t size);
// Moves bytes from a socket to a pipe, or from a pipe to a socket, without copying them. One of the two is the pipe.
IoResult splice_bytes(int from, int to, size_t size);
IoResult read_pipe(int fd, void* into, size_t size);
// Ends our direction of the stream with a FIN.
int shutdown_write(int fd);
// The error that the socket holds; reading clears it.
int take_socket_error(int fd);
void close_file(int fd);
// Makes the coming close an abortive one: the peer gets a RST and unsent bytes are dropped.
int reset_on_close(int fd);

// ---- making sockets

FileResult tcp_socket(uint8_t family);
// 0 where the connection is there at once, EINPROGRESS where it will be, or why not.
int connect_to(int fd, const Address& address);
// Has a socket connect from this address, with a port that connect chooses, which may be one that is used towards another
// server. An address of another machine needs CAP_NET_ADMIN (IP_TRANSPARENT, ip(7)). 0, or errno.
int bind_source(int fd, const Address& source);
// Whether this process may do so.
bool may_connect_from_anywhere();
AcceptResult accept_from(int fd);
int local_address(int fd, Address* address);

// Binds without SO_REUSEPORT, so that an address which another socket holds is refused, and shares it only then: the
// sockets of the other threads are bound with `shared` set.
FileResult bind_listener(const Address& address, bool shared);
struct ListenerSocketSettings {
  uint32_t defer_seconds;  // TCP_DEFER_ACCEPT; 0 for none
  uint32_t notsent_bytes;  // TCP_NOTSENT_LOWAT, inherited by the accepted sockets
  int backlog;
};
int start_listening(int fd, const ListenerSocketSettings& settings);
int set_defer_accept(int fd, uint32_t seconds);

// ---- options of live connections

int set_no_delay(int fd);
// Before connect: the handshake's last ACK goes out with our first bytes, and the peer's first bytes are acknowledged
// with our next. Two segments fewer for each short connection.
int delay_acks(int fd);
int set_notsent_low_water(int fd, uint32_t bytes);
int set_receive_buffer(int fd, uint32_t bytes);
struct PeerWatch {
  uint32_t keepalive_after_s;
  uint32_t keepalive_interval_s;
  uint32_t keepalive_probes;
  uint32_t user_timeout_ms;  // 0 leaves the system's
};
int watch_peer(int fd, const PeerWatch& watch);

// ---- epoll, eventfd, time, memory

struct PipeResult {
  int read_end;   // -1 on error; the caller owns both otherwise
  int write_end;
  int error;
};
// A pipe that takes `capacity` bytes in one go, or less where the system has a lower limit.
PipeResult make_pipe(size_t capacity);
FileResult make_epoll();
FileResult make_eventfd();
void ring_eventfd(int fd);
int epoll_add(int epoll, int fd, uint32_t events, uint64_t data);
int epoll_change(int epoll, int fd, uint32_t events, uint64_t data);
int epoll_remove(int epoll, int fd);
// The number of events; 0 on a timeout. A negative timeout waits for ever.
int epoll_wait_for(int epoll, epoll_event* events, int count, int timeout_ms);
// Milliseconds since boot, and since 1970.
uint64_t monotonic_ms();
double wall_clock_ms();
// Zeroed pages, or null.
void* map_pages(size_t size);
void unmap_pages(void* pages, size_t size);
// The soft limit of open files of this process.
uint64_t descriptor_limit();

}  // namespace switchyard::sys

#endif  // SWITCHYARD_SYSCALLS_H_
