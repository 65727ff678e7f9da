#include <errno.h>
#include <string.h>

#include <algorithm>

#include "check.h"
#include "engine_thread.h"

// The hello: collecting it, and the question to JavaScript.

namespace switchyard {

// With TCP_DEFER_ACCEPT the hello is mostly there when the connection is accepted, so it is read before the socket
// joins the epoll set; a short connection's client joins it only when bytes are relayed.
void EngineThread::read_hello(Connection& connection) {
  Side& client = connection.side(End::kClient);
  const uint32_t hello_bytes_max =
      shared_.listeners[connection.listener].hello_bytes_max.load(std::memory_order_relaxed);
  while (client.readable) {
    const sys::IoResult got = sys::receive(client.socket.get(), copy_.get(), limits::kHelloReadBytes);
    if (got.error == EAGAIN) {
      client.readable = false;
      break;
    }
    if (got.error != 0 || got.count == 0)
      return end(connection, CloseReason::kHelloAborted, Manner::kOrderly);
    connection.bytes_read[static_cast<int>(End::kClient)] += got.count;
    Greeting& greeting = *connection.greeting;
    if (!greeting.bytes.append(copy_.get(), got.count)) {
      fault(wire::FaultPlace::kMemory, ENOMEM);
      return end(connection, CloseReason::kInternal, Manner::kAbortive);
    }
    if (got.count < limits::kHelloReadBytes && !client.end_seen && !client.urgent_seen) client.readable = false;
    if (greeting.framing.ready(greeting.bytes.data(), greeting.bytes.size(), hello_bytes_max)) return ask(connection);
  }
  watch(connection, End::kClient);
}

// Puts the connection's question into the report ring, or into the line before it.
void EngineThread::ask(Connection& connection) {
  if (waiting_.empty() && try_ask(connection)) return;
  become(connection, Life::kWaiting);
  waiting_.push_back({connection.index, connection.generation});
  Counters::add(counters_.queue_waits, 1);
}

bool EngineThread::try_ask(Connection& connection) {
  if (connection.decided()) {
    wire::RedecideReport record = {};
    record.header = header_for(connection, wire::ReportKind::kRedecide, sizeof record);
    record.header.code = static_cast<uint8_t>(connection.connect_failure);
    record.attempt = connection.attempts;
    if (!report(record)) return false;
  } else {
    const Greeting& greeting = *connection.greeting;
    wire::HelloReport record = {};
    record.header = header_for(connection, wire::ReportKind::kHello, sizeof record);
    record.source = connection.source;
    record.local = greeting.local;
    record.bytes = static_cast<uint32_t>(greeting.bytes.size());
    record.hello_bytes_max =
        shared_.listeners[connection.listener].hello_bytes_max.load(std::memory_order_relaxed);
    if (!report(record, greeting.bytes.data(), greeting.bytes.size())) return false;
  }
  become(connection, Life::kDeciding);
  wake_now_ = true;
  return true;
}

// JavaScript wants to see more of the hello than it was shown.
void EngineThread::more_bytes(Connection& connection) {
  if (connection.decided()) return;
  become(connection, Life::kHello);
  if (!watch(connection, End::kClient)) return;
  read_hello(connection);
}

// The server takes its time, or has no room. From now on the client alone can end this: a short client's socket joins the
// epoll set here, to be seen when it goes.
void EngineThread::wait_verdict(Connection& connection, const wire::WaitCommand& command) {
  first_verdict(connection, command.header, command.skipped_bytes);
  if (connection.side(End::kClient).end_seen && connection.hello_complete)
    return end(connection, CloseReason::kClientGone, Manner::kOrderly);
  wheel_.disarm(slab_, connection.index);
  watch(connection, End::kClient);
}

void EngineThread::first_verdict(Connection& connection, const wire::Header& header, uint32_t skipped_bytes) {
  if (connection.decided()) return;
  connection.verdict_ms = static_cast<int32_t>(now_ms_ - connection.accepted_ms);
  connection.hello_complete = header.listener != 0;
  Block& bytes = connection.greeting->bytes;
  bytes.consume(std::min<size_t>(skipped_bytes, bytes.size()));
}

// A client that resets has gone. No TLS handshake comes to an end without more from the client (RFC 8446 section 4.4),
// so one that ends its stream has gone as well; a client of another protocol may have said all that it has to say.
void EngineThread::client_event_while_deciding(Connection& connection, uint32_t events) {
  const bool reset = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (reset || (connection.side(End::kClient).end_seen && connection.hello_complete))
    end(connection, CloseReason::kClientGone, Manner::kAbortive);
}

}  // namespace switchyard
