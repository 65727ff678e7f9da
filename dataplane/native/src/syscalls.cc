#include "syscalls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "system_address.h"

namespace switchyard::sys {
namespace {

int set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : errno;
}

int set_transparent(int fd, uint8_t family) {
  return family == 6 ? set_option(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1) : set_option(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
}

// The calls of every connection enter the kernel by themselves. The C library's are places where a thread may be
// cancelled, and in a process with threads each says so before and after, which took 1% of a short connection; nobody
// cancels ours. The sanitizers look at the library's calls, so there these are used.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SWITCHYARD_ENTER(call, ...) ::call(__VA_ARGS__)
#else
#define SWITCHYARD_ENTER(call, ...) ::syscall(SYS_##call, __VA_ARGS__)
#endif

IoResult send_flagged(int fd, const void* from, size_t size, int flags) {
  for (;;) {
    const long count = SWITCHYARD_ENTER(sendto, fd, from, size, flags | MSG_NOSIGNAL, nullptr, 0);
    if (count >= 0) return {static_cast<size_t>(count), 0};
    if (errno != EINTR) return {0, errno};
  }
}

}  // namespace

IoResult receive(int fd, void* into, size_t size) {
  for (;;) {
    const long count = SWITCHYARD_ENTER(recvfrom, fd, into, size, 0, nullptr, nullptr);
    if (count >= 0) return {static_cast<size_t>(count), 0};
    if (errno != EINTR) return {0, errno};
  }
}

IoResult send(int fd, const void* from, size_t size) { return send_flagged(fd, from, size, 0); }

// What did not fit is not held back: the kernel pushes a socket whose buffer is full, MSG_MORE or not.
IoResult send_last(int fd, const void* from, size_t size) { return send_flagged(fd, from, size, MSG_MORE); }

IoResult splice_bytes(int from, int to, size_t size) {
  for (;;) {
    const ssize_t count = ::splice(from, nullptr, to, nullptr, size, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (count >= 0) return {static_cast<size_t>(count), 0};
    if (errno != EINTR) return {0, errno};
  }
}

IoResult read_pipe(int fd, void* into, size_t size) {
  for (;;) {
    const ssize_t count = ::read(fd, into, size);
    if (count >= 0) return {static_cast<size_t>(count), 0};
    if (errno != EINTR) return {0, errno};
  }
}

int shutdown_write(int fd) { return ::shutdown(fd, SHUT_WR) == 0 ? 0 : errno; }

int take_socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// On Linux the descriptor is free after close whatever it answers, EINTR too; to repeat it could close another's file.
void close_file(int fd) { SWITCHYARD_ENTER(close, fd); }

int reset_on_close(int fd) {
  const linger abortive = {1, 0};
  return setsockopt(fd, SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive) == 0 ? 0 : errno;
}

FileResult tcp_socket(uint8_t family) {
  const int fd = ::socket(system_family(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  return fd >= 0 ? FileResult{fd, 0} : FileResult{-1, errno};
}

int connect_to(int fd, const Address& address) {
  AnySocketAddress system;
  const socklen_t size = to_system(address, &system);
  // An interrupted connect goes on by itself; a second call would only say EALREADY.
  if (SWITCHYARD_ENTER(connect, fd, &system.any, size) == 0) return 0;
  return errno == EINTR ? EINPROGRESS : errno;
}

int bind_source(int fd, const Address& source) {
  Address any_port = source;
  any_port.port = 0;
  AnySocketAddress system;
  const socklen_t size = to_system(any_port, &system);
  // Without the right to it an address of this machine still serves, and bind says so of any other.
  set_transparent(fd, source.family);
  // The port is chosen by connect, which knows the server: each server has all ports of this address.
  if (const int error = set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1); error != 0) return error;
  return ::bind(fd, &system.any, size) == 0 ? 0 : errno;
}

bool may_connect_from_anywhere() {
  const FileResult made = tcp_socket(4);
  if (made.error != 0) return false;
  const bool may = set_transparent(made.fd, 4) == 0;
  close_file(made.fd);
  return may;
}

AcceptResult accept_from(int fd) {
  for (;;) {
    AnySocketAddress system;
    socklen_t size = sizeof system;
    const long accepted = SWITCHYARD_ENTER(accept4, fd, &system.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) return {static_cast<int>(accepted), 0, from_system(system)};
    if (errno != EINTR) return {-1, errno, {}};
  }
}

int local_address(int fd, Address* address) {
  AnySocketAddress system;
  socklen_t size = sizeof system;
  if (getsockname(fd, &system.any, &size) != 0) return errno;
  *address = from_system(system);
  return 0;
}

FileResult bind_listener(const Address& address, bool shared) {
  const FileResult made = tcp_socket(address.family);
  if (made.error != 0) return made;
  AnySocketAddress system;
  const socklen_t size = to_system(address, &system);
  int error = set_option(made.fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (error == 0 && address.family == 6) error = set_option(made.fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (error == 0 && shared) error = set_option(made.fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (error == 0 && ::bind(made.fd, &system.any, size) != 0) error = errno;
  if (error == 0 && !shared) error = set_option(made.fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (error == 0) return made;
  close_file(made.fd);
  return {-1, error};
}

int start_listening(int fd, const ListenerSocketSettings& settings) {
  // Accepted sockets inherit all of these, so that none of them costs a call per connection.
  int error = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (error == 0) error = set_notsent_low_water(fd, settings.notsent_bytes);
  if (error == 0 && settings.defer_seconds > 0) error = set_defer_accept(fd, settings.defer_seconds);
  if (error == 0 && ::listen(fd, settings.backlog) != 0) error = errno;
  return error;
}

int set_defer_accept(int fd, uint32_t seconds) {
  return set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, static_cast<int>(seconds));
}

int delay_acks(int fd) { return set_option(fd, IPPROTO_TCP, TCP_QUICKACK, 0); }

int set_no_delay(int fd) { return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

int set_notsent_low_water(int fd, uint32_t bytes) {
  return set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, static_cast<int>(bytes));
}

int set_receive_buffer(int fd, uint32_t bytes) {
  return set_option(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(bytes));
}

int watch_peer(int fd, const PeerWatch& watch) {
  int error = set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(watch.keepalive_after_s));
  if (error == 0) error = set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(watch.keepalive_interval_s));
  if (error == 0) error = set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, static_cast<int>(watch.keepalive_probes));
  if (error == 0 && watch.user_timeout_ms > 0)
    error = set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(watch.user_timeout_ms));
  if (error == 0) error = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  return error;
}

PipeResult make_pipe(size_t capacity) {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return {-1, -1, errno};
  // A user's pipes together have a limit (pipe-user-pages-soft); a pipe of the usual size serves as well.
  fcntl(ends[0], F_SETPIPE_SZ, static_cast<int>(capacity));
  return {ends[0], ends[1], 0};
}

FileResult make_epoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd >= 0 ? FileResult{fd, 0} : FileResult{-1, errno};
}

FileResult make_eventfd() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return fd >= 0 ? FileResult{fd, 0} : FileResult{-1, errno};
}

// The counter can't overflow in practice, and where it did (EAGAIN) the reader has a wake-up pending anyway.
void ring_eventfd(int fd) {
  const uint64_t one = 1;
  while (::write(fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

int epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = data;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int epoll_change(int epoll, int fd, uint32_t events, uint64_t data) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = data;
  return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : errno;
}

int epoll_remove(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr) == 0 ? 0 : errno; }

int epoll_wait_for(int epoll, epoll_event* events, int count, int timeout_ms) {
  const int found = epoll_wait(epoll, events, count, timeout_ms);
  // EINTR counts as a timeout: the caller looks at its clock and comes back.
  return found < 0 ? 0 : found;
}

uint64_t monotonic_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

double wall_clock_ms() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) * 1000.0 + static_cast<double>(now.tv_nsec / 1'000'000);
}

void* map_pages(size_t size) {
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

void unmap_pages(void* pages, size_t size) { munmap(pages, size); }

uint64_t descriptor_limit() {
  rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

}  // namespace switchyard::sys
