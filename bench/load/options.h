#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <vector>

#include "canned-tls.h"

namespace load {

// What the command line says: `load <mode> --connect 127.0.0.1:port[,127.0.0.1:port] [--name value]...`
struct Options {
  std::string mode;
  std::vector<sockaddr_in> targets;
  double seconds = 1;
  // rate: stop after so many, 0 for no limit. idle, half-hello: how many to hold.
  std::uint64_t connections = 0;
  // rate: how many at a time.
  int concurrency = 64;
  // bulk, rtt: streams.
  int streams = 16;
  // rate, rtt: a second, on a fixed schedule and measured from the time when each was due; 0 for as fast as it goes.
  double pace = 0;
  // bulk.
  StreamMode direction = StreamMode::bulkBoth;
  // Names are `host0` to `host<names-1>` before `nameSuffix`, in turn.
  int names = 8;
  std::string nameSuffix = ".bench.test";
  // rate: how many session ids there are, in turn.
  std::uint64_t sessionIds = 1024;
  std::size_t helloBytes = helloBytesDefault;
  std::size_t flightBytes = flightBytesDefault;
  std::size_t messageBytes = 64;
  // No answer for so long is a fault.
  double timeoutSeconds = 5;
};

// Ends the process with a message where the command line is wrong.
Options parseOptions(int argc, char** argv);

// The hello for each name, in turn.
std::vector<Bytes> makeHellos(const Options& options, StreamMode mode);

sockaddr_in parseAddress(const std::string& text);

}  // namespace load
