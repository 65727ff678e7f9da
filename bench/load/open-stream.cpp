#include "open-stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>

#include "sockets.h"

namespace load {

namespace {

Fault waitFor(int socket, short events, double seconds) {
  pollfd entry{.fd = socket, .events = events, .revents = 0};
  const int count = ::poll(&entry, 1, static_cast<int>(seconds * 1000));
  if (count < 0) return faultOfErrno(errno);
  return count == 0 ? Fault::timeout : Fault::none;
}

Fault pendingFault(int socket) {
  int code = 0;
  socklen_t length = sizeof code;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) != 0) code = errno;
  return faultOfErrno(code);
}

Fault readFlight(int socket, const Bytes& hello, const Options& options) {
  Bytes reply(options.flightBytes);
  for (std::size_t done = 0; done < reply.size();) {
    if (const Fault fault = waitFor(socket, POLLIN, options.timeoutSeconds); fault != Fault::none) return fault;
    const ssize_t count = ::recv(socket, reply.data() + done, reply.size() - done, 0);
    if (count == 0) return Fault::closedEarly;
    if (count < 0 && errno == EAGAIN) continue;
    if (count < 0) return faultOfErrno(errno);
    done += static_cast<std::size_t>(count);
  }
  return answers(hello, reply.data(), reply.size()) ? Fault::none : Fault::wrongReply;
}

}  // namespace

Descriptor openPartial(const sockaddr_in& target, const Bytes& hello, std::size_t count, const Options& options, Fault& fault) {
  Descriptor socket = dial(target, fault);
  if (fault == Fault::none) fault = waitFor(socket.get(), POLLOUT, options.timeoutSeconds);
  if (fault == Fault::none) fault = pendingFault(socket.get());
  if (fault == Fault::none) {
    const ssize_t sent = ::send(socket.get(), hello.data(), count, MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(count)) fault = sent < 0 ? faultOfErrno(errno) : Fault::other;
  }
  if (fault != Fault::none) socket.reset();
  return socket;
}

Descriptor openStream(const sockaddr_in& target, const Bytes& hello, const Options& options, Fault& fault) {
  Descriptor socket = openPartial(target, hello, hello.size(), options, fault);
  if (fault == Fault::none) fault = readFlight(socket.get(), hello, options);
  if (fault != Fault::none) socket.reset();
  return socket;
}

std::vector<Descriptor> openStreams(const Options& options, StreamMode mode) {
  std::vector<Bytes> hellos = makeHellos(options, mode);
  std::vector<Descriptor> streams;
  for (int index = 0; index < options.streams; index += 1) {
    const auto number = static_cast<std::size_t>(index);
    Bytes& hello = hellos[number % hellos.size()];
    setSessionId(hello, number);
    Fault fault = Fault::none;
    streams.push_back(openStream(options.targets[number % options.targets.size()], hello, options, fault));
    if (fault == Fault::none) continue;
    std::fprintf(stderr, "stream %d of %d could not be opened: %s\n", index + 1, options.streams, faultName(fault));
    std::exit(3);
  }
  return streams;
}

}  // namespace load
