#include <errno.h>

#include <algorithm>

#include "check.h"
#include "engine_thread.h"

// Moving bytes both ways. Sockets are edge-triggered: what epoll said is remembered in the sides' bits until a call says
// otherwise, so nothing is asked of epoll again.

namespace switchyard {

void EngineThread::relay_event(Connection& connection, End end_, uint32_t events) {
  Side& side = connection.side(end_);
  // The client has reset: nobody is left who could want what it sent before. A server's last bytes are still read.
  if ((events & EPOLLERR) != 0) {
    if (end_ == End::kClient) return end_reset_by(connection, End::kClient);
    // What it had sent before is read first; the end of that is no orderly one then.
    side.reset_seen = true;
    if (side.ended && !stream_ended(connection, end_)) return;
  }
  if (side.writable && !side.pending.empty() && !relay(connection, other(end_))) return;
  if (side.readable) relay(connection, end_);
}

// Moves what can be moved from one end to the other, up to a turn's share.
bool EngineThread::relay(Connection& connection, End from) {
  const End to = other(from);
  Side& target = connection.side(to);
  if (!target.pending.empty()) {
    if (!flush(connection, to)) return false;
    if (!target.pending.empty()) return true;
    // A stream that ended behind these bytes has not been passed on yet.
    if (connection.side(from).ended) return stream_ended(connection, from);
  }
  size_t moved = 0;
  bool go_on = true;
  while (go_on && connection.side(from).readable && target.pending.empty()) {
    if (moved >= limits::kRelayBytesPerTurn) {
      if (!connection.in_ready_list) ready_.push_back({connection.index, connection.generation});
      connection.in_ready_list = true;
      return true;
    }
    const uint64_t before = connection.bytes_read[static_cast<int>(from)];
    if (!relay_chunk(connection, from, &go_on)) return false;
    moved += connection.bytes_read[static_cast<int>(from)] - before;
  }
  return true;
}

// One receive and one send through the thread's copy buffer. What the target does not take is copied to its Block.
bool EngineThread::relay_chunk(Connection& connection, End from, bool* go_on) {
  Side& source = connection.side(from);
  Side& target = connection.side(other(from));
  if (source.ended) {
    *go_on = false;
    return true;
  }
  if (source.splicing && may_splice(connection, from)) return splice_chunk(connection, from, go_on);
  const sys::IoResult got = sys::receive(source.socket.get(), copy_.get(), limits::kCopyBufferBytes);
  if (got.error == EAGAIN) {
    source.readable = false;
    return true;
  }
  if (got.error != 0 || (got.count == 0 && source.reset_seen)) {
    end_reset_by(connection, from);
    return false;
  }
  if (got.count == 0) {
    *go_on = false;
    return stream_ended(connection, from);
  }
  source.active_ms = now32();
  if (got.count >= limits::kLargeReadBytes) {
    source.splicing = true;
    bound_receive(source);
  }
  connection.bytes_read[static_cast<int>(from)] += got.count;
  if (from == End::kServer && connection.tap_left > 0) tap(connection, copy_.get(), got.count);
  if (from == End::kClient && connection.bytes_read[static_cast<int>(from)] > limits::kBulkBytes) bound_unsent(target);
  // A stream socket that gave less than was asked for is empty (epoll(7)); if its end had arrived before, this was the
  // end. The urgent mark is the exception, and then another receive tells.
  const bool emptied = got.count < limits::kCopyBufferBytes && !source.urgent_seen;
  const bool at_end = emptied && source.end_seen && !source.reset_seen;
  if (emptied && !source.end_seen) source.readable = false;

  if (target.finished) {
    // Its peer takes no more bytes; these are read only so that the source can end.
    return !at_end || stream_ended(connection, from);
  }
  if (from == End::kClient && !connection.no_delay_set) {
    sys::set_no_delay(target.socket.get());
    connection.no_delay_set = true;
  }
  const auto send = at_end ? sys::send_last : sys::send;
  const sys::IoResult sent = send(target.socket.get(), copy_.get(), got.count);
  if (sent.error != 0 && sent.error != EAGAIN) return write_failed(connection, other(from));
  if (sent.count > 0) target.active_ms = now32();
  if (sent.count < got.count) {
    if (at_end) source.ended = true;
    return keep_for_later(connection, from, copy_.get() + sent.count, got.count - sent.count);
  }
  return !at_end || stream_ended(connection, from);
}

// The target took less than there was: the rest waits in its Block, and nothing more is read until it is written.
bool EngineThread::keep_for_later(Connection& connection, End from, const uint8_t* bytes, size_t size) {
  if (!connection.side(other(from)).pending.append(bytes, size)) {
    fault(wire::FaultPlace::kMemory, ENOMEM);
    end(connection, CloseReason::kInternal, Manner::kAbortive);
    return false;
  }
  bound_receive(connection.side(from));
  return watch_writable(connection, other(from));
}

void EngineThread::bound_receive(Side& side) {
  if (side.receive_bounded) return;
  side.receive_bounded = true;
  sys::set_receive_buffer(side.socket.get(), limits::kReceiveBufferBytes);
}

void EngineThread::bound_unsent(Side& side) {
  if (side.unsent_bounded) return;
  side.unsent_bounded = true;
  sys::set_notsent_low_water(side.socket.get(), limits::kNotsentBytes);
}

// Writes what waits for this end.
bool EngineThread::flush(Connection& connection, End to) {
  Side& target = connection.side(to);
  while (target.writable && !target.pending.empty()) {
    const sys::IoResult sent = sys::send(target.socket.get(), target.pending.data(), target.pending.size());
    // The next event tells of room: an edge comes after every write that was cut short.
    if (sent.error == EAGAIN || (sent.error == 0 && sent.count < target.pending.size())) target.writable = false;
    if (sent.error == EAGAIN) return true;
    if (sent.error != 0) return write_failed(connection, to);
    target.active_ms = now32();
    target.pending.consume(sent.count);
  }
  return true;
}

// The peer of `to` has closed or reset. What it sent before that is still passed on; then the connection ends as reset.
bool EngineThread::write_failed(Connection& connection, End to) {
  Side& target = connection.side(to);
  target.pending.clear();
  target.finished = true;
  target.reset_seen = true;
  target.readable = true;
  return target.ended ? stream_ended(connection, to) : relay(connection, to);
}

// All that `from` had to say has been read; the FIN follows once it has been written.
bool EngineThread::stream_ended(Connection& connection, End from) {
  Side& source = connection.side(from);
  Side& target = connection.side(other(from));
  source.ended = true;
  source.readable = false;
  if (!target.pending.empty()) return true;
  if (source.reset_seen) {
    end_reset_by(connection, from);
    return false;
  }
  if (target.ended && (source.pending.empty() || source.finished)) {
    // Both streams are at their end, so close() sends the FIN that is left.
    end(connection, CloseReason::kDone, Manner::kOrderly);
    return false;
  }
  if (!target.finished) {
    target.finished = true;
    sys::shutdown_write(target.socket.get());
    // The half-close timeout runs from here.
    target.active_ms = now32();
    arm_relay(connection);
  }
  return true;
}

// Copies the server's first bytes for JavaScript to learn from, as far as they are in clear. They are never worth waiting for.
void EngineThread::tap(Connection& connection, const uint8_t* bytes, size_t size) {
  const size_t wanted = connection.tapped.in_clear(bytes, std::min<size_t>(size, connection.tap_left));
  connection.tap_left = connection.tapped.over() ? 0 : connection.tap_left - static_cast<uint32_t>(wanted);
  if (reports_.room() < limits::kTapHeadroomBytes + wanted) {
    Counters::add(counters_.tap_bytes_dropped, wanted);
    return;
  }
  wire::ServerBytesReport record = {};
  record.header = header_for(connection, wire::ReportKind::kServerBytes, sizeof record);
  record.bytes = static_cast<uint32_t>(wanted);
  if (!report(record, bytes, wanted)) Counters::add(counters_.tap_bytes_dropped, wanted);
}

void EngineThread::relay_timer(Connection& connection) {
  CloseReason reason;
  if (relay_deadline(connection, &reason) <= now_ms_) {
    // Not with a FIN: it would leave what a stuck peer has not read in the kernel's memory for minutes.
    return end(connection, reason, Manner::kAbortive);
  }
  if (!connection.peers_watched && now_ms_ - connection.accepted_ms >= limits::kWatchPeerAfterMs) {
    watch_peer(connection.side(End::kClient));
    watch_peer(connection.side(End::kServer));
    connection.peers_watched = true;
  }
  arm_relay(connection);
}

// A peer that has vanished ends the connection even where the idle timeout is days. Short connections never come here,
// so they do not pay for it. TCP_USER_TIMEOUT also ends a reader that has been stuck so long, though it lives; it is
// never shorter than the idle timeout unless that is over a quarter of an hour.
void EngineThread::watch_peer(const Side& side) {
  sys::PeerWatch watch;
  watch.keepalive_after_s = limits::kKeepaliveAfterS;
  watch.keepalive_interval_s = limits::kKeepaliveIntervalS;
  watch.keepalive_probes = limits::kKeepaliveProbes;
  watch.user_timeout_ms = std::min(side.idle_timeout_ms, limits::kUserTimeoutMaxMs);
  sys::watch_peer(side.socket.get(), watch);
}

void EngineThread::arm_relay(Connection& connection) {
  CloseReason unused;
  uint64_t deadline = relay_deadline(connection, &unused);
  if (!connection.peers_watched) deadline = std::min(deadline, connection.accepted_ms + limits::kWatchPeerAfterMs);
  arm(connection, deadline);
}

// When the connection ends if nothing more happens, and why.
uint64_t EngineThread::relay_deadline(Connection& connection, CloseReason* reason) {
  const Side& client = connection.side(End::kClient);
  const Side& server = connection.side(End::kServer);
  uint64_t deadline = widened(client.active_ms + client.idle_timeout_ms);
  *reason = CloseReason::kClientIdle;
  const auto consider = [&](const Side& side, uint32_t timeout_ms, CloseReason why) {
    const uint64_t candidate = widened(side.active_ms + timeout_ms);
    if (candidate >= deadline) return;
    deadline = candidate;
    *reason = why;
  };
  consider(server, server.idle_timeout_ms, CloseReason::kServerIdle);
  if (client.ended) consider(server, connection.half_close_timeout_ms, CloseReason::kHalfCloseTimeout);
  if (server.ended) consider(client, connection.half_close_timeout_ms, CloseReason::kHalfCloseTimeout);
  return deadline;
}

}  // namespace switchyard
