#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "fault.h"
#include "histogram.h"
#include "modes.h"
#include "sockets.h"

namespace load {

namespace {

constexpr std::size_t replyHeadBytes = sessionIdOffset + sessionIdBytes;

// Past so many faults the run says nothing about speed any more, and ends.
constexpr std::uint64_t faultsMax = 100;

constexpr std::uint64_t timeoutCheckInterval = nanosecondsPerSecond / 10;

struct Connection {
  Descriptor socket;
  // When it was begun, or was due where there is a schedule: waiting for a free slot counts as latency too.
  std::uint64_t since = 0;
  std::uint64_t number = 0;
  std::size_t received = 0;
  bool helloSent = false;
  std::array<std::uint8_t, replyHeadBytes> head{};
};

class RateRun {
 public:
  explicit RateRun(const Options& options)
      : options_(options),
        hellos_(makeHellos(options, StreamMode::reply)),
        connections_(static_cast<std::size_t>(options.concurrency)),
        epoll_(makeEpoll()),
        buffer_(64 * 1024) {
    for (std::size_t slot = connections_.size(); slot > 0; slot -= 1) free_.push_back(slot - 1);
  }

  int run() {
    startedAt_ = now();
    endsAt_ = startedAt_ + static_cast<std::uint64_t>(options_.seconds * 1e9);
    nextTimeoutCheck_ = startedAt_ + timeoutCheckInterval;
    std::vector<epoll_event> events(256);
    for (;;) {
      beginWhatIsDue();
      if (live_ == 0 && !mayBegin(now())) break;
      const int count = waitForEvents(epoll_.get(), events.data(), static_cast<int>(events.size()), wakeAt());
      // Each slot has one socket and each socket one event in a batch, so no event here is of a socket that is gone.
      for (int index = 0; index < count; index += 1) advance(events[static_cast<std::size_t>(index)].data.u64);
      endLateOnes();
    }
    report();
    return faults_.total() == 0 ? 0 : exitFaults;
  }

 private:
  bool mayBegin(std::uint64_t time) const {
    if (faults_.total() >= faultsMax || time >= endsAt_) return false;
    return options_.connections == 0 || begun_ < options_.connections;
  }

  std::uint64_t dueAt(std::uint64_t number) const {
    return startedAt_ + static_cast<std::uint64_t>(static_cast<double>(number) * 1e9 / options_.pace);
  }

  std::uint64_t wakeAt() const {
    std::uint64_t at = std::min(nextTimeoutCheck_, std::max(endsAt_, startedAt_));
    if (options_.pace > 0 && !free_.empty()) at = std::min(at, dueAt(begun_));
    // After the end only the answers that are still owed matter, and their timeouts.
    return now() >= endsAt_ ? nextTimeoutCheck_ : at;
  }

  void beginWhatIsDue() {
    while (!free_.empty()) {
      const std::uint64_t time = now();
      if (!mayBegin(time)) return;
      const std::uint64_t since = options_.pace > 0 ? dueAt(begun_) : time;
      if (since > time) return;
      const std::size_t slot = free_.back();
      free_.pop_back();
      begin(slot, since);
    }
  }

  void begin(std::size_t slot, std::uint64_t since) {
    Connection& connection = connections_[slot];
    live_ += 1;
    connection.since = since;
    connection.number = begun_;
    connection.received = 0;
    connection.helloSent = false;
    Fault fault = Fault::none;
    connection.socket = dial(options_.targets[begun_ % options_.targets.size()], fault);
    begun_ += 1;
    if (fault != Fault::none) return end(slot, fault);
    if (!sendHello(slot)) return;
    const std::uint32_t out = connection.helloSent ? 0u : static_cast<std::uint32_t>(EPOLLOUT);
    watch(epoll_.get(), connection.socket.get(), EPOLLIN | EPOLLET | out, slot);
  }

  Bytes& helloOf(const Connection& connection) {
    Bytes& hello = hellos_[connection.number % hellos_.size()];
    setSessionId(hello, connection.number % options_.sessionIds);
    return hello;
  }

  // False where the connection ended. It is normal that the socket is not connected yet; epoll tells when it is.
  bool sendHello(std::size_t slot) {
    Connection& connection = connections_[slot];
    const Bytes& hello = helloOf(connection);
    const ssize_t sent = ::send(connection.socket.get(), hello.data(), hello.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return true;
    if (sent != static_cast<ssize_t>(hello.size())) {
      end(slot, sent < 0 ? faultOfErrno(errno) : Fault::other);
      return false;
    }
    connection.helloSent = true;
    return true;
  }

  void advance(std::size_t slot) {
    Connection& connection = connections_[slot];
    if (!connection.helloSent && !sendHello(slot)) return;
    for (;;) {
      const ssize_t count = ::recv(connection.socket.get(), buffer_.data(), buffer_.size(), 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count < 0) return end(slot, faultOfErrno(errno));
      if (count == 0) return end(slot, Fault::closedEarly);
      const auto length = static_cast<std::size_t>(count);
      if (connection.received < replyHeadBytes) {
        std::memcpy(connection.head.data() + connection.received, buffer_.data(),
                    std::min(length, replyHeadBytes - connection.received));
      }
      connection.received += length;
      // An alert or a cut answer is closed by the peer and so found above; this finds one that is longer.
      if (connection.received > options_.flightBytes) return end(slot, Fault::wrongReply);
      if (connection.received == options_.flightBytes) {
        const bool right = answers(helloOf(connection), connection.head.data(), replyHeadBytes);
        return end(slot, right ? Fault::none : Fault::wrongReply);
      }
    }
  }

  void end(std::size_t slot, Fault fault) {
    Connection& connection = connections_[slot];
    connection.socket.reset();
    free_.push_back(slot);
    live_ -= 1;
    if (fault != Fault::none) return faults_.add(fault);
    const std::uint64_t time = now();
    done_ += 1;
    if (time <= endsAt_) doneInTime_ += 1;
    lastDoneAt_ = time;
    latency_.add(time - connection.since);
  }

  void endLateOnes() {
    const std::uint64_t time = now();
    if (time < nextTimeoutCheck_) return;
    nextTimeoutCheck_ = time + timeoutCheckInterval;
    const auto timeout = static_cast<std::uint64_t>(options_.timeoutSeconds * 1e9);
    for (std::size_t slot = 0; slot < connections_.size(); slot += 1) {
      const Connection& connection = connections_[slot];
      if (connection.socket.open() && time - connection.since > timeout) end(slot, Fault::timeout);
    }
  }

  // Where a number of connections was asked for, the time is that of the last one.
  void report() const {
    const bool counted = options_.connections != 0 && begun_ >= options_.connections;
    const double seconds = counted ? static_cast<double>(lastDoneAt_ - startedAt_) / 1e9 : options_.seconds;
    const std::uint64_t inTime = counted ? done_ : doneInTime_;
    std::printf("{\"mode\":\"rate\",\"seconds\":%.6f,\"connections\":%" PRIu64 ",\"perSecond\":%.1f,", seconds, done_,
                seconds > 0 ? static_cast<double>(inTime) / seconds : 0.0);
    latency_.print();
    std::printf(",");
    faults_.print();
    std::printf("}\n");
  }

  const Options& options_;
  std::vector<Bytes> hellos_;
  std::vector<Connection> connections_;
  std::vector<std::size_t> free_;
  Descriptor epoll_;
  Bytes buffer_;
  Histogram latency_;
  FaultCount faults_;
  std::uint64_t startedAt_ = 0;
  std::uint64_t endsAt_ = 0;
  std::uint64_t nextTimeoutCheck_ = 0;
  std::uint64_t lastDoneAt_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t doneInTime_ = 0;
  std::size_t live_ = 0;
};

}  // namespace

int runRate(const Options& options) { return RateRun(options).run(); }

}  // namespace load
