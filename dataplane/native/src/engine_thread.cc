#include "engine_thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <new>

#include "check.h"
#include "watch_data.h"

namespace switchyard {
namespace {

constexpr uint32_t kConnectionEvents = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;

uint64_t watch_data(const Connection& connection, End end) {
  const auto kind = end == End::kClient ? WatchData::Kind::kClient : WatchData::Kind::kServer;
  return WatchData{kind, connection.index, connection.generation}.packed();
}

}  // namespace

EngineThread::EngineThread(Shared* shared, uint32_t number)
    : shared_(*shared),
      number_(number),
      mailbox_(limits::kMailboxBytes),
      reports_(limits::kReportRingBytes),
      slab_(limits::kSlotsMax / shared->threads) {}

int EngineThread::start() {
  copy_.reset(new (std::nothrow) uint8_t[limits::kCopyBufferBytes]);
  events_.reset(new (std::nothrow) epoll_event[limits::kEventsPerTurn]);
  if (copy_ == nullptr || events_ == nullptr || !reports_.made()) return ENOMEM;
  const sys::PipeResult pipe = sys::make_pipe(limits::kPipeBytes);
  if (pipe.error != 0) return pipe.error;
  pipe_read_.reset(pipe.read_end);
  pipe_write_.reset(pipe.write_end);
  const sys::FileResult epoll = sys::make_epoll();
  if (epoll.error != 0) return epoll.error;
  epoll_.reset(epoll.fd);
  if (const int error = mailbox_.open(); error != 0) return error;
  // Edge-triggered, so that the eventfd never needs to be read.
  const WatchData data{WatchData::Kind::kMailbox, 0, 0};
  if (const int error = sys::epoll_add(epoll_.get(), mailbox_.eventfd(), EPOLLIN | EPOLLET, data.packed()); error != 0)
    return error;

  // Signals are for the thread that has handlers: Node's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(&thread_, nullptr, &EngineThread::entry, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error;
}

void EngineThread::join() { pthread_join(thread_, nullptr); }

size_t EngineThread::drain(uint8_t* into, size_t capacity) {
  const size_t copied = reports_.drain(into, capacity);
  if (copied > 0 && starved_.exchange(false)) {
    const wire::Header nothing = {sizeof(wire::Header), 0, 0, 0, 0, 0};
    mailbox_.post(&nothing, sizeof nothing);
  }
  return copied;
}

void* EngineThread::entry(void* self) {
  EngineThread* thread = static_cast<EngineThread*>(self);
  char name[16];
  snprintf(name, sizeof name, "engine-%u", thread->number_);
  pthread_setname_np(pthread_self(), name);
  thread->run();
  return nullptr;
}

void EngineThread::run() {
  now_ms_ = sys::monotonic_ms();
  wheel_.start(now_ms_);
  while (!stopping_) {
    const int found = sys::epoll_wait_for(epoll_.get(), events_.get(), limits::kEventsPerTurn, wait_ms());
    now_ms_ = sys::monotonic_ms();
    for (int at = 0; at < found; at += 1) dispatch(events_[at]);
    if (mailbox_.has_mail()) read_mail();
    wheel_.turn(slab_, now_ms_, [this](uint32_t index) { timer_due(index); });
    serve_ready_list();
    if (accept_paused_until_ms_ != 0 && now_ms_ >= accept_paused_until_ms_) resume_accepting();
    settle_reports();
    wake_javascript();
  }
  // JavaScript waits in join(): what is left is closed without a report.
  listening_.clear();
}

// How long the loop may sleep.
int EngineThread::wait_ms() const {
  if (!ready_.empty()) return 0;
  uint64_t until = wheel_.next_ms();
  if (accept_paused_until_ms_ != 0) until = std::min(until, accept_paused_until_ms_);
  if (lazy_wake_at_ms_ != 0) until = std::min(until, lazy_wake_at_ms_);
  if (until == UINT64_MAX) return -1;
  return until <= now_ms_ ? 0 : static_cast<int>(std::min<uint64_t>(until - now_ms_, 60'000));
}

void EngineThread::dispatch(const epoll_event& event) {
  const WatchData data = WatchData::unpacked(event.data.u64);
  switch (data.kind) {
    case WatchData::Kind::kMailbox:
      return;
    case WatchData::Kind::kListening:
      for (ListeningSocket& listening : listening_)
        if (listening.bind == data.index && listening.watched && accept_paused_until_ms_ == 0) {
          if (!accept_from(listening, limits::kAcceptsPerTurn)) pause_accepting();
          return;
        }
      return;
    case WatchData::Kind::kClient:
    case WatchData::Kind::kServer:
      if (Connection* connection = slab_.find(data.index, data.generation); connection != nullptr)
        connection_event(*connection, data.kind == WatchData::Kind::kClient ? End::kClient : End::kServer,
                         event.events);
      return;
  }
}

void EngineThread::connection_event(Connection& connection, End end, uint32_t events) {
  Side& side = connection.side(end);
  // The event may be of a socket that this side had before (an earlier attempt to connect).
  if (!side.socket.open()) return;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) side.readable = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP)) != 0) side.end_seen = true;
  if ((events & EPOLLOUT) != 0) side.writable = true;
  side.urgent_seen = (events & EPOLLPRI) != 0;
  switch (connection.life) {
    case Life::kHello:
      if (side.readable) read_hello(connection);
      return;
    case Life::kWaiting:
    case Life::kDeciding:
      return client_event_while_deciding(connection, events);
    case Life::kDialling:
      if (end == End::kServer) return dial_event(connection, events);
      return client_event_while_deciding(connection, events);
    case Life::kRelaying:
      return relay_event(connection, end, events);
    case Life::kRejecting:
      return drain_rejected(connection);
    case Life::kFree:
    case Life::kEnded:
      return;
  }
}

void EngineThread::read_mail() {
  mailbox_.take(&mail_);
  size_t at = 0;
  while (at < mail_.size()) {
    wire::Header header;
    SWITCHYARD_CHECK(mail_.size() - at >= sizeof header);
    memcpy(&header, mail_.data() + at, sizeof header);
    SWITCHYARD_CHECK(header.size >= sizeof header && header.size <= mail_.size() - at);
    obey(header, mail_.data() + at);
    at += header.size;
  }
}

// The sizes inside a record were checked where it was posted (Core::submit).
void EngineThread::obey(const wire::Header& header, const uint8_t* record) {
  const auto addressed = [&](auto act) {
    if (Connection* connection = slab_.find(header.slot / shared_.threads, header.generation); connection != nullptr)
      act(*connection);
  };
  // A verdict for a connection that has ended meanwhile, or is asked about no longer, has no effect.
  const auto decided = [&](auto act) {
    addressed([&](Connection& connection) {
      if (connection.life == Life::kDeciding) act(connection);
    });
  };
  switch (static_cast<wire::CommandKind>(header.kind)) {
    case wire::CommandKind::kConnect: {
      wire::ConnectCommand command;
      memcpy(&command, record, sizeof command);
      return decided([&](Connection& c) { connect_verdict(c, command, record + sizeof command); });
    }
    case wire::CommandKind::kReject: {
      wire::RejectCommand command;
      memcpy(&command, record, sizeof command);
      return decided([&](Connection& c) { reject_verdict(c, command, record + sizeof command); });
    }
    case wire::CommandKind::kWait: {
      wire::WaitCommand command;
      memcpy(&command, record, sizeof command);
      return decided([&](Connection& c) { wait_verdict(c, command); });
    }
    case wire::CommandKind::kMoreBytes:
      return decided([&](Connection& c) { more_bytes(c); });
    case wire::CommandKind::kAbort:
      return addressed([&](Connection& c) {
        if (c.life != Life::kEnded) end(c, header.code, Manner::kAbortive, Manner::kAbortive);
      });
    case wire::CommandKind::kAddSocket: {
      wire::SocketCommand command;
      memcpy(&command, record, sizeof command);
      return add_socket(command);
    }
    case wire::CommandKind::kRemoveSocket:
      return remove_socket(header.slot);
    case wire::CommandKind::kDrain:
      draining_ = true;
      return close_all_sockets();
    case wire::CommandKind::kEndAll:
      return end_all(header.code);
    case wire::CommandKind::kStop:
      stopping_ = true;
      return;
  }
  // Kind 0 only wakes the thread.
}

void EngineThread::timer_due(uint32_t index) {
  Connection& connection = slab_.at(index);
  if (connection.life == Life::kRelaying) return relay_timer(connection);
  const uint64_t deadline = widened(connection.deadline_ms);
  if (deadline > now_ms_) return arm(connection, deadline);
  switch (connection.life) {
    case Life::kHello:
    case Life::kWaiting:
    case Life::kDeciding:
      return end(connection, CloseReason::kHelloTimeout, Manner::kOrderly);
    case Life::kDialling:
      return dial_failed(connection, ConnectFailure::kTimeout);
    case Life::kRejecting:
      return end(connection, connection.close_reason, Manner::kOrderly, Manner::kOrderly);
    case Life::kRelaying:
    case Life::kFree:
    case Life::kEnded:
      return;
  }
}

void EngineThread::serve_ready_list() {
  // Those that use up this turn too join the list for the next one.
  ready_now_.swap(ready_);
  for (const Name& name : ready_now_) {
    Connection* connection = slab_.find(name.index, name.generation);
    if (connection == nullptr || connection->life != Life::kRelaying) continue;
    connection->in_ready_list = false;
    if (relay(*connection, End::kServer)) relay(*connection, End::kClient);
  }
  ready_now_.clear();
}

void EngineThread::become(Connection& connection, Life life) {
  SWITCHYARD_CHECK(may_become(connection.life, life));
  if (connection.life == Life::kHello) Counters::add(counters_.hellos_pending, static_cast<uint64_t>(-1));
  if (life == Life::kHello) Counters::add(counters_.hellos_pending, 1);
  connection.life = life;
}

bool EngineThread::watch(Connection& connection, End which) {
  Side& side = connection.side(which);
  if (side.watched) return true;
  side.watched = true;
  const int error =
      sys::epoll_add(epoll_.get(), side.socket.get(), kConnectionEvents, watch_data(connection, which));
  return watched_or_ended(connection, error);
}

bool EngineThread::watch_writable(Connection& connection, End which) {
  Side& side = connection.side(which);
  side.writable = false;
  if (side.watched_out) return true;
  // A change has epoll look at the socket anew, so room that came meanwhile is told.
  const auto change = side.watched ? sys::epoll_change : sys::epoll_add;
  side.watched = true;
  side.watched_out = true;
  const int error = change(epoll_.get(), side.socket.get(), kConnectionEvents | EPOLLOUT, watch_data(connection, which));
  return watched_or_ended(connection, error);
}

bool EngineThread::watched_or_ended(Connection& connection, int error) {
  if (error == 0) return true;
  fault(wire::FaultPlace::kWatch, error);
  end(connection, CloseReason::kInternal, Manner::kAbortive);
  return false;
}

}  // namespace switchyard
