// The sink: the servers behind the proxy. One thread, one epoll set, some ports. What a connection does stands in its
// hello (canned-tls.h). It prints its ports, answers each line on stdin with its counters, and ends when stdin does.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "canned-tls.h"
#include "fault.h"
#include "options.h"
#include "payload.h"
#include "sockets.h"

namespace load {

namespace {

constexpr std::size_t bufferBytes = 64 * 1024;
constexpr std::size_t sendTurnBytes = 256 * 1024;
constexpr std::size_t receiveTurnBytes = 1024 * 1024;
constexpr int acceptsPerTurn = 256;
constexpr std::uint64_t listenerKey = std::uint64_t{1} << 32;
constexpr std::uint64_t inputKey = std::uint64_t{2} << 32;

struct Connection {
  // The hello's bytes, while it is incomplete: nearly never, as it comes in one piece.
  std::unique_ptr<Bytes> partialHello;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  StreamMode mode = StreamMode::reply;
  bool open = false;
  bool answered = false;
};

struct Counters {
  std::uint64_t accepted = 0;
  std::uint64_t live = 0;
  std::uint64_t bytesReceived = 0;
  std::uint64_t bytesSent = 0;
  std::uint64_t payloadFaults = 0;
  std::uint64_t badHellos = 0;
  std::uint64_t resets = 0;
};

class Sink {
 public:
  Sink(int ports, std::size_t flightBytes) : epoll_(makeEpoll()), flight_(makeServerFlight(flightBytes)), buffer_(bufferBytes) {
    std::printf("{\"event\":\"listening\",\"ports\":[");
    for (int index = 0; index < ports; index += 1) {
      Descriptor listener = listenOn(parseAddress("127.0.0.1:0"));
      std::printf("%s%u", index == 0 ? "" : ",", boundPort(listener.get()));
      watch(epoll_.get(), listener.get(), EPOLLIN, listenerKey | static_cast<std::uint64_t>(listener.get()));
      listeners_.push_back(std::move(listener));
    }
    std::printf("]}\n");
    std::fflush(stdout);
    watch(epoll_.get(), STDIN_FILENO, EPOLLIN, inputKey);
  }

  void run() {
    std::vector<epoll_event> events(512);
    for (;;) {
      const int count = waitForEvents(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
      for (int index = 0; index < count; index += 1) {
        const epoll_event& event = events[static_cast<std::size_t>(index)];
        const auto fd = static_cast<int>(event.data.u64 & 0xffffffff);
        if ((event.data.u64 & listenerKey) != 0) acceptSome(fd);
        else if ((event.data.u64 & inputKey) != 0) {
          if (!answerInput()) return;
        } else {
          // A descriptor may have been closed and given out again within this batch; the event is then a spurious one,
          // which every path below takes for EAGAIN.
          serve(fd, event.events);
        }
      }
    }
  }

 private:
  void acceptSome(int listener) {
    for (int index = 0; index < acceptsPerTurn; index += 1) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EAGAIN) return;
        if (errno == ECONNABORTED || errno == EINTR) continue;
        dieOfErrno("accept4");
      }
      const auto slot = static_cast<std::size_t>(fd);
      if (slot >= connections_.size()) connections_.resize(slot * 2 + 64);
      connections_[slot] = Connection{};
      connections_[slot].open = true;
      counters_.accepted += 1;
      counters_.live += 1;
      if (readHello(fd)) watch(epoll_.get(), fd, eventsOf(connections_[slot]), slot);
    }
  }

  static std::uint32_t eventsOf(const Connection& connection) {
    if (!connection.answered) return EPOLLIN;
    switch (connection.mode) {
      // Edge-triggered where one read empties the socket; level where each turn is capped and the rest must come again.
      case StreamMode::reply:
      case StreamMode::echo: return EPOLLIN | EPOLLET;
      case StreamMode::bulkUp: return EPOLLIN;
      case StreamMode::bulkDown:
      case StreamMode::bulkBoth:
      case StreamMode::verifyBoth: return EPOLLIN | EPOLLOUT;
    }
    return EPOLLIN;
  }

  void serve(int fd, std::uint32_t events) {
    Connection& connection = connections_[static_cast<std::size_t>(fd)];
    if (!connection.open) return;
    if (!connection.answered) {
      if (readHello(fd) && connection.answered) rewatch(epoll_.get(), fd, eventsOf(connection), static_cast<std::uint64_t>(fd));
      return;
    }
    switch (connection.mode) {
      case StreamMode::reply: return awaitEnd(fd);
      case StreamMode::echo: return echo(fd);
      case StreamMode::bulkUp:
      case StreamMode::bulkDown:
      case StreamMode::bulkBoth:
      case StreamMode::verifyBoth: return moveBulk(fd, events);
    }
  }

  // False where the connection ended. Clients send nothing behind the hello before they have the answer.
  bool readHello(int fd) {
    Connection& connection = connections_[static_cast<std::size_t>(fd)];
    const std::size_t before = connection.partialHello ? connection.partialHello->size() : 0;
    if (before > 0) std::memcpy(buffer_.data(), connection.partialHello->data(), before);
    const ssize_t count = ::recv(fd, buffer_.data() + before, buffer_.size() - before, 0);
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) return end(fd, count < 0);
    const std::size_t have = before + static_cast<std::size_t>(count);
    const std::size_t need = recordLength(buffer_.data(), have);
    if (need == 0 || have < need) {
      connection.partialHello = std::make_unique<Bytes>(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(have));
      return true;
    }
    connection.partialHello.reset();
    if (have > need || !readMode(buffer_.data(), need, connection.mode)) {
      counters_.badHellos += 1;
      return end(fd, false);
    }
    std::memcpy(flight_.data() + sessionIdOffset, buffer_.data() + sessionIdOffset, sessionIdBytes);
    const ssize_t sent = ::send(fd, flight_.data(), flight_.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(flight_.size())) return end(fd, true);
    connection.answered = true;
    return true;
  }

  void awaitEnd(int fd) {
    const ssize_t count = ::recv(fd, buffer_.data(), buffer_.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) end(fd, count < 0);
  }

  void echo(int fd) {
    const ssize_t count = ::recv(fd, buffer_.data(), buffer_.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return void(end(fd, count < 0));
    // A message of a stream with one in flight always fits the socket's buffer.
    if (::send(fd, buffer_.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) end(fd, true);
  }

  void moveBulk(int fd, std::uint32_t events) {
    Connection& connection = connections_[static_cast<std::size_t>(fd)];
    if ((events & EPOLLOUT) != 0 && connection.mode != StreamMode::bulkUp) {
      const ssize_t count = payload_.sendTo(fd, connection.sent, sendTurnBytes);
      if (count < 0 && errno != EAGAIN) return void(end(fd, true));
      if (count > 0) {
        connection.sent += static_cast<std::uint64_t>(count);
        counters_.bytesSent += static_cast<std::uint64_t>(count);
      }
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
    const bool verify = connection.mode == StreamMode::verifyBoth;
    const ssize_t count = verify ? ::recv(fd, buffer_.data(), buffer_.size(), 0) : discard(fd, receiveTurnBytes);
    if (count < 0 && errno == EAGAIN) return;
    // The client has ended its stream: closing ends ours, and what was sent goes out before that.
    if (count <= 0) return void(end(fd, count < 0));
    if (verify && !payload_.matches(buffer_.data(), static_cast<std::size_t>(count), connection.received)) counters_.payloadFaults += 1;
    connection.received += static_cast<std::uint64_t>(count);
    counters_.bytesReceived += static_cast<std::uint64_t>(count);
  }

  // Always false, so that callers can end and answer in one.
  bool end(int fd, bool abnormal) {
    Connection& connection = connections_[static_cast<std::size_t>(fd)];
    connection.open = false;
    connection.partialHello.reset();
    counters_.live -= 1;
    if (abnormal) counters_.resets += 1;
    ::close(fd);
    return false;
  }

  // False at the end of stdin.
  bool answerInput() {
    char line[256];
    const ssize_t count = ::read(STDIN_FILENO, line, sizeof line);
    if (count <= 0) return count < 0 && (errno == EINTR || errno == EAGAIN);
    for (ssize_t index = 0; index < count; index += 1) {
      if (line[index] != '\n') continue;
      std::printf("{\"event\":\"counters\",\"accepted\":%" PRIu64 ",\"live\":%" PRIu64 ",\"bytesReceived\":%" PRIu64
                  ",\"bytesSent\":%" PRIu64 ",\"payloadFaults\":%" PRIu64 ",\"badHellos\":%" PRIu64 ",\"resets\":%" PRIu64 "}\n",
                  counters_.accepted, counters_.live, counters_.bytesReceived, counters_.bytesSent, counters_.payloadFaults,
                  counters_.badHellos, counters_.resets);
    }
    std::fflush(stdout);
    return true;
  }

  Descriptor epoll_;
  Bytes flight_;
  Bytes buffer_;
  Payload payload_;
  std::vector<Descriptor> listeners_;
  std::vector<Connection> connections_;
  Counters counters_;
};

}  // namespace

}  // namespace load

int main(int argc, char** argv) {
  int ports = 4;
  std::size_t flightBytes = load::flightBytesDefault;
  for (int index = 1; index + 1 < argc; index += 2) {
    const std::string_view name = argv[index];
    const int value = std::atoi(argv[index + 1]);
    if (name == "--ports" && value >= 1 && value <= 64) ports = value;
    else if (name == "--flight-bytes" && value >= 128 && value <= 16000) flightBytes = static_cast<std::size_t>(value);
    else load::die("usage: sink [--ports 1-64] [--flight-bytes 128-16000]");
  }
  if (argc % 2 == 0) load::die("an option lacks its value");
  std::signal(SIGPIPE, SIG_IGN);
  load::liftDescriptorLimit();
  load::Sink(ports, flightBytes).run();
  return 0;
}
