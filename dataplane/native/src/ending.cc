#include <string.h>

#include "check.h"
#include "engine_thread.h"

// The end of a connection, and all reports to JavaScript.

namespace switchyard {

// Gives back everything that the connection holds, at once; only its slot stays until JavaScript's report has room.
void EngineThread::end(Connection& connection, uint8_t reason, Manner client, Manner server) {
  // The first reason stands: what ends a refused client meanwhile is not why it was refused.
  if (connection.life != Life::kRejecting) connection.close_reason = reason;
  connection.unanswered = connection.life == Life::kDeciding;
  become(connection, Life::kEnded);
  wheel_.disarm(slab_, connection.index);
  const Manner manners[2] = {client, server};
  for (int which = 0; which < 2; which += 1) {
    Side& side = connection.sides[which];
    if (side.socket.open() && manners[which] == Manner::kAbortive) sys::reset_on_close(side.socket.get());
    // Closing takes the socket out of the epoll set.
    side.socket.reset();
    side.pending.clear();
  }
  connection.greeting.reset();
  shared_.descriptors.fetch_sub(2, std::memory_order_relaxed);
  shared_.listeners[connection.listener].connections.fetch_sub(1, std::memory_order_relaxed);
  Counters::add(counters_.connections, static_cast<uint64_t>(-1));
  // Total time is taken here, since the report may wait.
  connection.deadline_ms = now32();
  if (unreported_.empty() && try_report_end(connection))
    slab_.release(connection.index);
  else
    unreported_.push_back(connection.index);
}

// One end has reset, so the other is reset too.
void EngineThread::end_reset_by(Connection& connection, End which) {
  if (which == End::kClient)
    end(connection, static_cast<uint8_t>(CloseReason::kClientReset), Manner::kOrderly, Manner::kAbortive);
  else
    end(connection, static_cast<uint8_t>(CloseReason::kServerReset), Manner::kAbortive, Manner::kOrderly);
}

void EngineThread::end_all(uint8_t reason) {
  for (uint32_t index = 0; index < slab_.slots_made(); index += 1) {
    Connection& connection = slab_.at(index);
    if (connection.life != Life::kFree && connection.life != Life::kEnded)
      end(connection, reason, Manner::kAbortive, Manner::kAbortive);
  }
}

wire::Header EngineThread::header_for(const Connection& connection, wire::ReportKind kind, size_t size) const {
  wire::Header header = {};
  header.size = static_cast<uint32_t>(size);
  header.kind = static_cast<uint8_t>(kind);
  header.listener = connection.listener;
  header.slot = number_ + connection.index * shared_.threads;
  header.generation = connection.generation;
  return header;
}

template <typename Report>
bool EngineThread::report(Report record, const uint8_t* bytes, size_t size) {
  static_assert(sizeof(Report) % 8 == 0);
  const size_t whole = sizeof(Report) + wire::padded(static_cast<uint32_t>(size));
  uint8_t* into = reports_.reserve(whole);
  if (into == nullptr) return false;
  record.header.size = static_cast<uint32_t>(whole);
  memcpy(into, &record, sizeof record);
  if (size > 0) memcpy(into + sizeof record, bytes, size);
  reports_.commit(whole);
  if (lazy_wake_at_ms_ == 0) lazy_wake_at_ms_ = now_ms_ + limits::kLazyWakeMs;
  return true;
}

template bool EngineThread::report(wire::HelloReport, const uint8_t*, size_t);
template bool EngineThread::report(wire::RedecideReport, const uint8_t*, size_t);
template bool EngineThread::report(wire::ServerBytesReport, const uint8_t*, size_t);

bool EngineThread::try_report_end(Connection& connection) {
  // `deadline_ms` holds the time of the end; a connection may be older than 32 bits of milliseconds.
  const uint64_t ended_ms = widened(connection.deadline_ms);
  wire::ClosedReport record = {};
  record.header = header_for(connection, wire::ReportKind::kClosed, sizeof record);
  record.header.code = connection.close_reason;
  record.total_ms = static_cast<double>(ended_ms - connection.accepted_ms);
  record.accepted_at_ms = sys::wall_clock_ms() - static_cast<double>(now_ms_ - connection.accepted_ms);
  record.bytes_from_client = static_cast<double>(connection.bytes_read[static_cast<int>(End::kClient)]);
  record.bytes_from_server = static_cast<double>(connection.bytes_read[static_cast<int>(End::kServer)]);
  record.hello_ms = connection.hello_complete ? connection.verdict_ms : -1;
  record.connect_ms = connection.connect_ms;
  record.attempts = connection.attempts;
  record.source = connection.source;
  record.unanswered = connection.unanswered ? 1 : 0;
  return report(record);
}

void EngineThread::fault(wire::FaultPlace place, int error) {
  wire::Header header = {};
  header.kind = static_cast<uint8_t>(wire::ReportKind::kFault);
  header.code = static_cast<uint8_t>(place);
  // A fault that repeats is told often enough; the line of those that wait stays short.
  if (notes_.size() < limits::kFaultsWaitingMax) note(header, error);
}

void EngineThread::note(const wire::Header& header, int32_t error) {
  wire::FaultReport record = {};
  record.header = header;
  record.error = error;
  wake_now_ = true;
  if (!notes_.empty() || !report(record)) notes_.push_back(record);
}

// Tells what found no room before, oldest first. The ring's reader rings this thread when it has made room.
void EngineThread::settle_reports() {
  const bool short_of_room = !notes_.empty() || !unreported_.empty() || !waiting_.empty();
  // Set before trying: a reader that makes room after a try that failed must see it.
  if (short_of_room) starved_.store(true);
  while (!notes_.empty() && report(notes_.front())) notes_.pop_front();
  while (!unreported_.empty() && try_report_end(slab_.at(unreported_.front()))) {
    slab_.release(unreported_.front());
    unreported_.pop_front();
  }
  while (!waiting_.empty()) {
    Connection* connection = slab_.find(waiting_.front().index, waiting_.front().generation);
    if (connection != nullptr && connection->life == Life::kWaiting && !try_ask(*connection)) break;
    waiting_.pop_front();
  }
  const bool settled = notes_.empty() && unreported_.empty() && waiting_.empty();
  if (settled && short_of_room) starved_.store(false);

  const uint64_t left = counters_.connections.load(std::memory_order_relaxed);
  if (draining_ && !drained_told_ && settled && left == 0 && listening_.empty()) {
    wire::Header drained = {};
    drained.kind = static_cast<uint8_t>(wire::ReportKind::kDrained);
    drained.slot = number_;
    drained_told_ = true;
    note(drained, 0);
  }
}

// One wake-up for all that this turn had to ask. Ends and tapped bytes alone wait a moment for company.
void EngineThread::wake_javascript() {
  if (lazy_wake_at_ms_ == 0 && !wake_now_) return;
  if (!wake_now_ && now_ms_ < lazy_wake_at_ms_ && reports_.room() >= limits::kReportRingBytes / 2) return;
  wake_now_ = false;
  lazy_wake_at_ms_ = 0;
  if (!shared_.woken.exchange(true)) shared_.wake(shared_.wake_context);
}

}  // namespace switchyard
