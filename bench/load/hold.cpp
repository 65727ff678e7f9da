#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "modes.h"
#include "open-stream.h"

namespace load {

namespace {

constexpr int faultsMax = 10;

// A connection that is held has nothing to read: not a byte (an alert, say) and no end.
Fault stillHeld(int socket) {
  std::uint8_t byte = 0;
  const ssize_t count = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return Fault::none;
  if (count < 0) return faultOfErrno(errno);
  return count == 0 ? Fault::closedEarly : Fault::wrongReply;
}

void waitForEndOfInput() {
  char buffer[64];
  ssize_t count = 0;
  do {
    count = ::read(STDIN_FILENO, buffer, sizeof buffer);
  } while (count > 0 || (count < 0 && errno == EINTR));
}

}  // namespace

int runHold(const Options& options, bool wholeHello) {
  std::vector<Bytes> hellos = makeHellos(options, StreamMode::reply);
  std::vector<Descriptor> held;
  FaultCount faults;
  for (std::uint64_t number = 0; number < options.connections && faults.total() < faultsMax; number += 1) {
    Bytes& hello = hellos[number % hellos.size()];
    setSessionId(hello, number);
    const sockaddr_in& target = options.targets[number % options.targets.size()];
    Fault fault = Fault::none;
    Descriptor socket =
        wholeHello ? openStream(target, hello, options, fault) : openPartial(target, hello, hello.size() / 2, options, fault);
    if (fault != Fault::none) faults.add(fault);
    if (socket.open()) held.push_back(std::move(socket));
  }
  std::printf("{\"event\":\"held\",\"connections\":%zu}\n", held.size());
  std::fflush(stdout);
  waitForEndOfInput();
  for (const Descriptor& socket : held) {
    if (const Fault fault = stillHeld(socket.get()); fault != Fault::none) faults.add(fault);
  }
  std::printf("{\"mode\":\"%s\",\"connections\":%zu,", wholeHello ? "idle" : "half-hello", held.size());
  faults.print();
  std::printf("}\n");
  return faults.total() == 0 ? 0 : exitFaults;
}

}  // namespace load
