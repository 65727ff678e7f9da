#pragma once

#include "canned-tls.h"
#include "descriptor.h"
#include "fault.h"
#include "options.h"

namespace load {

// Connects, sends the hello and reads the server's whole flight, and not a byte more. The socket is non-blocking;
// closed, with its fault, where any step failed. For setting up what is measured later: it waits for each step.
Descriptor openStream(const sockaddr_in& target, const Bytes& hello, const Options& options, Fault& fault);

// Connects and sends the first `count` bytes of the hello.
Descriptor openPartial(const sockaddr_in& target, const Bytes& hello, std::size_t count, const Options& options, Fault& fault);

// Opens `options.streams` streams of a mode, names and targets in turn; ends the process where one fails.
std::vector<Descriptor> openStreams(const Options& options, StreamMode mode);

}  // namespace load
