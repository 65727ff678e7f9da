#include "sockets.h"

#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <ctime>

namespace load {

std::uint64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * nanosecondsPerSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

Descriptor dial(const sockaddr_in& target, Fault& fault) {
  fault = Fault::none;
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) {
    fault = faultOfErrno(errno);
    return socket;
  }
  const auto* address = reinterpret_cast<const sockaddr*>(&target);
  if (::connect(socket.get(), address, sizeof target) != 0 && errno != EINPROGRESS) {
    fault = faultOfErrno(errno);
    socket.reset();
  }
  return socket;
}

Descriptor listenOn(const sockaddr_in& address) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) dieOfErrno("socket");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Inherited by what is accepted, which saves a call for each connection.
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // One wake-up for each connection instead of two. The same for every proxy before it.
  const int deferSeconds = 5;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &deferSeconds, sizeof deferSeconds);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) dieOfErrno("bind");
  if (::listen(socket.get(), 4096) != 0) dieOfErrno("listen");
  return socket;
}

std::uint16_t boundPort(int socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) dieOfErrno("getsockname");
  return ntohs(address.sin_port);
}

Descriptor makeEpoll() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.open()) dieOfErrno("epoll_create1");
  return epoll;
}

void watch(int epoll, int fd, std::uint32_t events, std::uint64_t key) {
  epoll_event event{.events = events, .data = {.u64 = key}};
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) dieOfErrno("epoll_ctl");
}

void rewatch(int epoll, int fd, std::uint32_t events, std::uint64_t key) {
  epoll_event event{.events = events, .data = {.u64 = key}};
  if (::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) != 0) dieOfErrno("epoll_ctl");
}

int waitForEvents(int epoll, epoll_event* events, int capacity, std::uint64_t deadline) {
  timespec left{};
  timespec* timeout = nullptr;
  if (deadline != 0) {
    const std::uint64_t current = now();
    const std::uint64_t remaining = deadline > current ? deadline - current : 0;
    left.tv_sec = static_cast<time_t>(remaining / nanosecondsPerSecond);
    left.tv_nsec = static_cast<long>(remaining % nanosecondsPerSecond);
    timeout = &left;
  }
  const int count = ::epoll_pwait2(epoll, events, capacity, timeout, nullptr);
  if (count < 0 && errno != EINTR) dieOfErrno("epoll_pwait2");
  return count < 0 ? 0 : count;
}

ssize_t discard(int socket, std::size_t most) { return ::recv(socket, nullptr, most, MSG_TRUNC); }

void liftDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) dieOfErrno("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) dieOfErrno("setrlimit");
}

}  // namespace load
