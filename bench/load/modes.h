#pragma once

#include "options.h"

namespace load {

// Each runs one mode to its end, prints its result as one line of JSON on stdout and answers the exit code: 0, or 3 where
// any connection went wrong.

// Short connections: connect, hello, the server's flight, close; a closed loop of `concurrency`, or on a schedule.
int runRate(const Options& options);

// Streams that carry bytes as fast as they go; orderly to their end, so that every byte is counted on both sides.
int runBulk(const Options& options);

// Ping-pong of small messages on streams; a closed loop, or on a schedule.
int runRtt(const Options& options);

// Opens connections, says `{"event":"held"}`, holds them until its stdin ends, and tells whether each was still there.
int runHold(const Options& options, bool wholeHello);

inline constexpr int exitFaults = 3;

}  // namespace load
