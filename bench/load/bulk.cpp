#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "modes.h"
#include "open-stream.h"
#include "payload.h"
#include "sockets.h"

namespace load {

namespace {

// The most that one stream moves before the next has its turn.
constexpr std::size_t sendTurnBytes = 256 * 1024;
constexpr std::size_t receiveTurnBytes = 1024 * 1024;

struct Stream {
  Descriptor socket;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool sending = false;
};

class BulkRun {
 public:
  explicit BulkRun(const Options& options)
      : options_(options), epoll_(makeEpoll()), verify_(options.direction == StreamMode::verifyBoth) {
    if (verify_) buffer_.resize(receiveTurnBytes);
  }

  int run() {
    std::vector<Descriptor> sockets = openStreams(options_, options_.direction);
    const bool up = options_.direction != StreamMode::bulkDown;
    for (Descriptor& socket : sockets) {
      const std::uint32_t out = up ? static_cast<std::uint32_t>(EPOLLOUT) : 0u;
      watch(epoll_.get(), socket.get(), EPOLLIN | out, streams_.size());
      streams_.push_back(Stream{.socket = std::move(socket), .sent = 0, .received = 0, .sending = up});
    }
    live_ = streams_.size();
    const std::uint64_t startedAt = now();
    const std::uint64_t endsAt = startedAt + static_cast<std::uint64_t>(options_.seconds * 1e9);
    const std::uint64_t givesUpAt = endsAt + static_cast<std::uint64_t>(options_.timeoutSeconds * 1e9);
    std::vector<epoll_event> events(256);
    bool stopped = false;
    while (live_ > 0) {
      const std::uint64_t time = now();
      if (!stopped && time >= endsAt) {
        stopped = true;
        stopSending();
      }
      if (time >= givesUpAt) giveUp();
      const int count = waitForEvents(epoll_.get(), events.data(), static_cast<int>(events.size()), stopped ? givesUpAt : endsAt);
      for (int index = 0; index < count; index += 1) {
        const epoll_event& event = events[static_cast<std::size_t>(index)];
        move(streams_[event.data.u64], event.events);
      }
    }
    report(static_cast<double>(now() - startedAt) / 1e9);
    return faults_.total() == 0 ? 0 : exitFaults;
  }

 private:
  void move(Stream& stream, std::uint32_t events) {
    if (stream.sending && (events & EPOLLOUT) != 0) {
      const ssize_t count = payload_.sendTo(stream.socket.get(), stream.sent, sendTurnBytes);
      if (count < 0 && errno != EAGAIN) return end(stream, faultOfErrno(errno));
      if (count > 0) stream.sent += static_cast<std::uint64_t>(count);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
    const ssize_t count = verify_ ? ::recv(stream.socket.get(), buffer_.data(), buffer_.size(), 0)
                                  : discard(stream.socket.get(), receiveTurnBytes);
    if (count < 0) {
      if (errno != EAGAIN) end(stream, faultOfErrno(errno));
      return;
    }
    // The sink ends its stream only after ours: an end before that is the proxy's doing.
    if (count == 0) return end(stream, stopping_ ? Fault::none : Fault::closedEarly);
    const auto length = static_cast<std::size_t>(count);
    if (verify_ && !payload_.matches(buffer_.data(), length, stream.received)) return end(stream, Fault::wrongReply);
    stream.received += length;
  }

  void stopSending() {
    stopping_ = true;
    for (std::size_t index = 0; index < streams_.size(); index += 1) {
      Stream& stream = streams_[index];
      if (!stream.socket.open()) continue;
      stream.sending = false;
      ::shutdown(stream.socket.get(), SHUT_WR);
      rewatch(epoll_.get(), stream.socket.get(), EPOLLIN, index);
    }
  }

  void end(Stream& stream, Fault fault) {
    stream.socket.reset();
    live_ -= 1;
    if (fault != Fault::none) faults_.add(fault);
  }

  void giveUp() {
    for (Stream& stream : streams_) {
      if (stream.socket.open()) end(stream, Fault::timeout);
    }
  }

  void report(double seconds) const {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    for (const Stream& stream : streams_) {
      sent += stream.sent;
      received += stream.received;
    }
    std::printf("{\"mode\":\"bulk\",\"seconds\":%.6f,\"streams\":%d,\"bytesSent\":%" PRIu64 ",\"bytesReceived\":%" PRIu64 ",",
                seconds, options_.streams, sent, received);
    faults_.print();
    std::printf("}\n");
  }

  const Options& options_;
  Payload payload_;
  Descriptor epoll_;
  const bool verify_;
  Bytes buffer_;
  std::vector<Stream> streams_;
  FaultCount faults_;
  std::size_t live_ = 0;
  bool stopping_ = false;
};

}  // namespace

int runBulk(const Options& options) { return BulkRun(options).run(); }

}  // namespace load
