#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <limits>

#include "histogram.h"
#include "modes.h"
#include "open-stream.h"
#include "sockets.h"

namespace load {

namespace {

constexpr std::uint64_t timeoutCheckInterval = nanosecondsPerSecond / 10;

struct Stream {
  Descriptor socket;
  std::uint64_t number = 0;
  std::uint64_t since = 0;
  std::size_t received = 0;
  bool waiting = false;
  Bytes message;
};

class RttRun {
 public:
  explicit RttRun(const Options& options) : options_(options), epoll_(makeEpoll()), buffer_(options.messageBytes + 1) {}

  int run() {
    std::vector<Descriptor> sockets = openStreams(options_, StreamMode::echo);
    for (Descriptor& socket : sockets) {
      watch(epoll_.get(), socket.get(), EPOLLIN | EPOLLET, streams_.size());
      Stream stream;
      stream.socket = std::move(socket);
      stream.message.assign(options_.messageBytes, static_cast<std::uint8_t>(streams_.size()));
      streams_.push_back(std::move(stream));
    }
    live_ = streams_.size();
    startedAt_ = now();
    endsAt_ = startedAt_ + static_cast<std::uint64_t>(options_.seconds * 1e9);
    nextTimeoutCheck_ = startedAt_ + timeoutCheckInterval;
    std::vector<epoll_event> events(256);
    for (;;) {
      const std::uint64_t wakeAt = sendWhatIsDue();
      if (live_ == 0 || (waiting_ == 0 && now() >= endsAt_)) break;
      const int count = waitForEvents(epoll_.get(), events.data(), static_cast<int>(events.size()), wakeAt);
      for (int index = 0; index < count; index += 1) receive(streams_[events[static_cast<std::size_t>(index)].data.u64]);
      endLateOnes();
    }
    report();
    return faults_.total() == 0 ? 0 : exitFaults;
  }

 private:
  // When the next message of a stream is due: at once, or on a schedule on which the streams take turns.
  std::uint64_t dueAt(std::size_t index, const Stream& stream) const {
    if (options_.pace <= 0) return 0;
    const double place = static_cast<double>(stream.number * streams_.size() + index);
    return startedAt_ + static_cast<std::uint64_t>(place * 1e9 / options_.pace);
  }

  // Answers when to look again.
  std::uint64_t sendWhatIsDue() {
    std::uint64_t wakeAt = nextTimeoutCheck_;
    const std::uint64_t time = now();
    if (time >= endsAt_) return wakeAt;
    for (std::size_t index = 0; index < streams_.size(); index += 1) {
      Stream& stream = streams_[index];
      if (stream.waiting || !stream.socket.open()) continue;
      const std::uint64_t due = dueAt(index, stream);
      if (due <= time) {
        send(stream, due == 0 ? time : due);
      } else {
        wakeAt = std::min(wakeAt, due);
      }
    }
    return std::min(wakeAt, endsAt_);
  }

  void send(Stream& stream, std::uint64_t since) {
    stream.number += 1;
    stream.since = since;
    stream.received = 0;
    std::memcpy(stream.message.data(), &stream.number, std::min(sizeof stream.number, stream.message.size()));
    const ssize_t sent = ::send(stream.socket.get(), stream.message.data(), stream.message.size(), MSG_NOSIGNAL);
    stream.waiting = true;
    waiting_ += 1;
    if (sent != static_cast<ssize_t>(stream.message.size())) end(stream, sent < 0 ? faultOfErrno(errno) : Fault::other);
  }

  void receive(Stream& stream) {
    if (!stream.socket.open()) return;
    for (;;) {
      const std::size_t room = buffer_.size() - stream.received;
      const ssize_t count = ::recv(stream.socket.get(), buffer_.data(), room, 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) return end(stream, count == 0 ? Fault::closedEarly : faultOfErrno(errno));
      const auto length = static_cast<std::size_t>(count);
      if (!stream.waiting || stream.received + length > stream.message.size() ||
          std::memcmp(buffer_.data(), stream.message.data() + stream.received, length) != 0) {
        return end(stream, Fault::wrongReply);
      }
      stream.received += length;
      if (stream.received == stream.message.size()) answered(stream);
      // A read that does not fill the room has emptied the socket, so the edge will come again.
      if (length < room) return;
    }
  }

  void answered(Stream& stream) {
    const std::uint64_t time = now();
    latency_.add(time - stream.since);
    if (time <= endsAt_) inTime_ += 1;
    stream.waiting = false;
    waiting_ -= 1;
    if (options_.pace <= 0 && time < endsAt_) send(stream, time);
  }

  void end(Stream& stream, Fault fault) {
    stream.socket.reset();
    live_ -= 1;
    if (stream.waiting) waiting_ -= 1;
    stream.waiting = false;
    faults_.add(fault);
  }

  void endLateOnes() {
    const std::uint64_t time = now();
    if (time < nextTimeoutCheck_) return;
    nextTimeoutCheck_ = time + timeoutCheckInterval;
    const auto timeout = static_cast<std::uint64_t>(options_.timeoutSeconds * 1e9);
    for (Stream& stream : streams_) {
      if (stream.waiting && time - stream.since > timeout) end(stream, Fault::timeout);
    }
  }

  void report() const {
    std::printf("{\"mode\":\"rtt\",\"seconds\":%.6f,\"streams\":%d,\"roundTrips\":%" PRIu64 ",\"perSecond\":%.1f,",
                options_.seconds, options_.streams, latency_.count(), static_cast<double>(inTime_) / options_.seconds);
    latency_.print();
    std::printf(",");
    faults_.print();
    std::printf("}\n");
  }

  const Options& options_;
  Descriptor epoll_;
  Bytes buffer_;
  std::vector<Stream> streams_;
  Histogram latency_;
  FaultCount faults_;
  std::uint64_t startedAt_ = 0;
  std::uint64_t endsAt_ = 0;
  std::uint64_t nextTimeoutCheck_ = 0;
  std::uint64_t inTime_ = 0;
  std::size_t live_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace

int runRtt(const Options& options) { return RttRun(options).run(); }

}  // namespace load
