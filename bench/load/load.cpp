// The load generator: one thread, one epoll set, canned bytes. Modes and options in options.h.

#include <csignal>

#include "fault.h"
#include "modes.h"
#include "sockets.h"

int main(int argc, char** argv) {
  const load::Options options = load::parseOptions(argc, argv);
  // sendfile(2) has no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  load::liftDescriptorLimit();
  if (options.mode == "rate") return load::runRate(options);
  if (options.mode == "bulk") return load::runBulk(options);
  if (options.mode == "rtt") return load::runRtt(options);
  if (options.mode == "idle") return load::runHold(options, true);
  if (options.mode == "half-hello") return load::runHold(options, false);
  load::die("the mode is rate, bulk, rtt, idle or half-hello");
}
