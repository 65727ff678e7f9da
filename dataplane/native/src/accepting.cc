#include <errno.h>

#include <algorithm>
#include <new>

#include "check.h"
#include "engine_thread.h"
#include "watch_data.h"

// Listening sockets: joining and leaving, accepting, and pausing when the system has no more to give.

namespace switchyard {

// Takes over the socket that the command carries.
void EngineThread::add_socket(const wire::SocketCommand& command) {
  ListeningSocket listening;
  listening.socket.reset(command.fd);
  listening.bind = command.header.slot;
  listening.listener = command.header.listener;
  listening.wildcard = command.wildcard != 0;
  sys::local_address(command.fd, &listening.local);
  listening_.push_back(std::move(listening));
  if (accept_paused_until_ms_ == 0) resume_accepting();
}

void EngineThread::remove_socket(uint32_t bind) {
  const auto found = std::find_if(listening_.begin(), listening_.end(),
                                  [bind](const ListeningSocket& listening) { return listening.bind == bind; });
  if (found == listening_.end()) return;
  close_socket(*found);
  listening_.erase(found);
}

void EngineThread::close_all_sockets() {
  for (ListeningSocket& listening : listening_) close_socket(listening);
  listening_.clear();
  accept_paused_until_ms_ = 0;
}

// Connections that the kernel has made already are accepted first: closing the socket would reset them.
void EngineThread::close_socket(ListeningSocket& listening) {
  accept_from(listening, limits::kAcceptsOnRemoval);
  listening.socket.reset();
  wire::Header unbound = {sizeof(wire::FaultReport), static_cast<uint8_t>(wire::ReportKind::kUnbound), 0,
                          listening.listener, listening.bind, number_};
  note(unbound, 0);
}

bool EngineThread::accept_from(ListeningSocket& listening, size_t count_max) {
  for (size_t taken = 0; taken < count_max; taken += 1) {
    if (!may_accept()) return false;
    const sys::AcceptResult accepted = sys::accept_from(listening.socket.get());
    if (accepted.error == 0) {
      welcome(listening, accepted.fd, accepted.source);
      continue;
    }
    shared_.descriptors.fetch_sub(2, std::memory_order_relaxed);
    switch (accepted.error) {
      case EAGAIN:
        return true;
      // The connection ended in the queue, or an error of its own is told here (accept(2), "Error handling").
      case ECONNABORTED:
      case EPROTO:
      case EPERM:
      case ENOPROTOOPT:
      case EOPNOTSUPP:
      case ENETDOWN:
      case ENETUNREACH:
      case EHOSTDOWN:
      case EHOSTUNREACH:
      case ENONET:
      case ETIMEDOUT:
        continue;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return false;
      default:
        fault(wire::FaultPlace::kAccept, accepted.error);
        return false;
    }
  }
  return true;
}

// Reserves what one more connection needs: two descriptors and a slot. The descriptors are given back by `end`.
bool EngineThread::may_accept() {
  if (unreported_.size() >= limits::kUnreportedMax || !slab_.prepare()) return false;
  if (shared_.descriptors.fetch_add(2, std::memory_order_relaxed) + 2 <= shared_.descriptors_max) return true;
  shared_.descriptors.fetch_sub(2, std::memory_order_relaxed);
  return false;
}

// A level-triggered socket that nobody accepts from would wake the loop without end, so all of them leave the set.
void EngineThread::pause_accepting() {
  Counters::add(counters_.accept_pauses, 1);
  accept_paused_until_ms_ = now_ms_ + limits::kAcceptPauseMs;
  for (ListeningSocket& listening : listening_) {
    if (!listening.watched) continue;
    const int error = sys::epoll_remove(epoll_.get(), listening.socket.get());
    SWITCHYARD_CHECK(error == 0);
    listening.watched = false;
  }
}

// Those that the kernel refuses to watch now (ENOMEM, ENOSPC) are tried again after another pause.
void EngineThread::resume_accepting() {
  accept_paused_until_ms_ = 0;
  for (ListeningSocket& listening : listening_) {
    if (listening.watched) continue;
    const WatchData data{WatchData::Kind::kListening, listening.bind, 0};
    const int error = sys::epoll_add(epoll_.get(), listening.socket.get(), EPOLLIN, data.packed());
    if (error == 0) {
      listening.watched = true;
      continue;
    }
    fault(wire::FaultPlace::kListen, error);
    accept_paused_until_ms_ = now_ms_ + limits::kAcceptPauseMs;
  }
}

// Owns the accepted socket from here on; `may_accept` has reserved the rest.
void EngineThread::welcome(const ListeningSocket& listening, int fd, const Address& source) {
  Listener& listener = shared_.listeners[listening.listener];
  Connection& connection = slab_.take();
  connection.side(End::kClient).socket.reset(fd);
  connection.side(End::kClient).readable = true;
  connection.side(End::kClient).idle_timeout_ms = listener.client_idle_timeout_ms.load(std::memory_order_relaxed);
  connection.accepted_ms = now_ms_;
  connection.source = source;
  connection.listener = listening.listener;
  become(connection, Life::kHello);
  Counters::add(counters_.accepted, 1);
  Counters::add(counters_.connections, 1);
  const uint32_t before = listener.connections.fetch_add(1, std::memory_order_relaxed);
  if (before >= listener.connections_max.load(std::memory_order_relaxed))
    return end(connection, CloseReason::kConnectionsMax, Manner::kOrderly);

  connection.greeting.reset(new (std::nothrow) Greeting);
  if (connection.greeting == nullptr) {
    fault(wire::FaultPlace::kMemory, ENOMEM);
    return end(connection, CloseReason::kInternal, Manner::kOrderly);
  }
  connection.greeting->local = listening.local;
  if (listening.wildcard) sys::local_address(fd, &connection.greeting->local);
  const uint64_t deadline = now_ms_ + listener.hello_deadline_ms.load(std::memory_order_relaxed);
  connection.deadline_ms = static_cast<uint32_t>(deadline);
  arm(connection, deadline);
  read_hello(connection);
}

}  // namespace switchyard
