#include <errno.h>

#include "engine_thread.h"

// Refusing a client so that it hears why.

namespace switchyard {

void EngineThread::reject_verdict(Connection& connection, const wire::RejectCommand& command, const uint8_t* alert) {
  const uint8_t reason = command.header.code;
  const size_t size = command.alert_bytes;
  first_verdict(connection, command.header, 0);
  Side& client = connection.side(End::kClient);
  become(connection, Life::kRejecting);
  connection.close_reason = reason;
  connection.greeting.reset();
  // An alert is 7 bytes on a socket that has sent nothing: either all of it fits or the client is gone.
  if (size > 0 && sys::send_last(client.socket.get(), alert, size).error != 0)
    return end(connection, reason, Manner::kOrderly, Manner::kOrderly);
  sys::shutdown_write(client.socket.get());
  const uint64_t deadline = now_ms_ + limits::kRejectDrainMs;
  connection.deadline_ms = static_cast<uint32_t>(deadline);
  arm(connection, deadline);
  connection.tap_left = limits::kRejectDrainBytes;
  if (watch(connection, End::kClient) && client.readable) drain_rejected(connection);
}

// To close with bytes unread sends a RST, which makes the client's kernel forget the alert that it had received (RFC
// 1122 section 4.2.2.13): so what the client still sends is read, within limits, until it closes.
void EngineThread::drain_rejected(Connection& connection) {
  Side& client = connection.side(End::kClient);
  while (client.readable) {
    const sys::IoResult got = sys::receive(client.socket.get(), copy_.get(), limits::kHelloReadBytes);
    if (got.error == EAGAIN) {
      client.readable = false;
      return;
    }
    connection.bytes_read[static_cast<int>(End::kClient)] += got.count;
    const bool enough = got.count >= connection.tap_left;
    if (got.error != 0 || got.count == 0 || enough)
      return end(connection, connection.close_reason, Manner::kOrderly, Manner::kOrderly);
    connection.tap_left -= static_cast<uint32_t>(got.count);
  }
}

}  // namespace switchyard
