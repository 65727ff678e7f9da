#include <errno.h>
#include <string.h>

#include <algorithm>
#include <new>

#include "check.h"
#include "engine_thread.h"

// The server: connecting, and sending it the prefix and the hello.

namespace switchyard {

void EngineThread::connect_verdict(Connection& connection, const wire::ConnectCommand& command,
                                   const uint8_t* prefix) {
  first_verdict(connection, command.header, command.skipped_bytes);
  // Its FIN came while JavaScript was asked.
  if (connection.side(End::kClient).end_seen && connection.hello_complete)
    return end(connection, CloseReason::kClientGone, Manner::kOrderly);
  connection.attempts += 1;
  connection.half_close_timeout_ms = command.half_close_timeout_ms;
  connection.tap_left = command.tap_bytes_max;
  connection.tapped = {};
  Side& server = connection.side(End::kServer);
  server.idle_timeout_ms = command.server_idle_timeout_ms;
  server.pending.clear();
  if (!server.pending.append(prefix, command.prefix_bytes)) {
    fault(wire::FaultPlace::kMemory, ENOMEM);
    return end(connection, CloseReason::kInternal, Manner::kAbortive);
  }
  dial(connection, command);
}

void EngineThread::dial(Connection& connection, const wire::ConnectCommand& command) {
  become(connection, Life::kDialling);
  const sys::FileResult made = sys::tcp_socket(command.address.family);
  if (made.error != 0) return dial_failed(connection, connect_failure(made.error));
  Side& server = connection.side(End::kServer);
  server.socket.reset(made.fd);
  if (command.source.family != 0 && sys::bind_source(made.fd, command.source) != 0)
    return dial_failed(connection, ConnectFailure::kLocalLimit);
  sys::delay_acks(made.fd);
  const int error = sys::connect_to(made.fd, command.address);
  if (error != 0 && error != EINPROGRESS) return dial_failed(connection, connect_failure(error));
  const uint64_t deadline = now_ms_ + command.connect_timeout_ms;
  connection.deadline_ms = static_cast<uint32_t>(deadline);
  arm(connection, deadline);
  // Nagle's algorithm would hold back the end of a flight of several segments; a flight of one goes out at once, and
  // then the option can wait for the client's next bytes, which many a short connection never sends.
  if (server.pending.size() + connection.greeting->bytes.size() > limits::kFirstSegmentBytes) {
    sys::set_no_delay(made.fd);
    connection.no_delay_set = true;
  }
  // Where the server is near it has answered by now, and this saves a turn of the loop.
  greet_server(connection);
}

void EngineThread::dial_event(Connection& connection, uint32_t events) {
  Side& server = connection.side(End::kServer);
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    const int error = sys::take_socket_error(server.socket.get());
    return dial_failed(connection, connect_failure(error == 0 ? ECONNRESET : error));
  }
  if (server.writable) greet_server(connection);
}

// Closes this attempt's socket and asks for another server.
void EngineThread::dial_failed(Connection& connection, ConnectFailure failure) {
  Side& server = connection.side(End::kServer);
  const uint32_t idle_timeout_ms = server.idle_timeout_ms;
  server.~Side();
  new (&server) Side;
  server.idle_timeout_ms = idle_timeout_ms;
  connection.no_delay_set = false;
  connection.connect_failure = failure;
  // JavaScript answers from what it has; there is no client's deadline to hold it to.
  wheel_.disarm(slab_, connection.index);
  ask(connection);
}

void EngineThread::greet_server(Connection& connection) {
  Side& server = connection.side(End::kServer);
  Greeting& greeting = *connection.greeting;
  // One call sends both, so that they share a segment.
  const uint8_t* flight = greeting.bytes.data();
  size_t size = greeting.bytes.size();
  if (const size_t prefix = server.pending.size(); prefix > 0) {
    memcpy(copy_.get(), server.pending.data(), prefix);
    const size_t rest = std::min(size, limits::kCopyBufferBytes - prefix);
    memcpy(copy_.get() + prefix, flight, rest);
    flight = copy_.get();
    size = prefix + rest;
  }
  const sys::IoResult sent = sys::send(server.socket.get(), flight, size);
  if (sent.error == EAGAIN) {
    server.writable = false;
    if (watch_writable(connection, End::kServer)) watch(connection, End::kClient);
    return;
  }
  if (sent.error != 0) return dial_failed(connection, connect_failure(sent.error));

  // Connected. What the socket did not take waits as any byte of the stream does.
  const size_t of_prefix = std::min(sent.count, server.pending.size());
  server.pending.consume(of_prefix);
  const size_t of_hello = sent.count - of_prefix;
  if (!server.pending.append(greeting.bytes.data() + of_hello, greeting.bytes.size() - of_hello)) {
    fault(wire::FaultPlace::kMemory, ENOMEM);
    return end(connection, CloseReason::kInternal, Manner::kAbortive);
  }
  connection.greeting.reset();
  if (server.pending.empty() || watch_writable(connection, End::kServer)) start_relaying(connection);
}

void EngineThread::start_relaying(Connection& connection) {
  become(connection, Life::kRelaying);
  connection.connect_ms =
      static_cast<int32_t>(now_ms_ - connection.accepted_ms) - connection.verdict_ms;
  Side& client = connection.side(End::kClient);
  Side& server = connection.side(End::kServer);
  client.active_ms = server.active_ms = now32();
  client.writable = true;
  arm_relay(connection);
  // An end that joins the epoll set now is told at once what it has to read.
  if (!watch(connection, End::kServer) || !watch(connection, End::kClient)) return;
  if (server.readable && !relay(connection, End::kServer)) return;
  if (client.readable) relay(connection, End::kClient);
}

}  // namespace switchyard
