#include "core.h"

#include <errno.h>
#include <string.h>

#include <algorithm>

#include "check.h"
#include "syscalls.h"

namespace switchyard {

std::unique_ptr<Core> Core::start(const Options& options, Wake wake, void* wake_context, int* error) {
  SWITCHYARD_CHECK(options.threads >= 1 && options.threads <= limits::kThreadsMax);
  auto shared = std::make_unique<Shared>();
  shared->threads = options.threads;
  shared->wake = wake;
  shared->wake_context = wake_context;
  shared->descriptors_max =
      std::max<int64_t>(2, static_cast<int64_t>(std::min<uint64_t>(sys::descriptor_limit(), INT32_MAX)) -
                               options.descriptors_reserved);
  std::unique_ptr<Core> core(new Core(std::move(shared)));
  for (uint32_t number = 0; number < options.threads; number += 1) {
    core->engine_threads_.push_back(std::make_unique<EngineThread>(core->shared_.get(), number));
    *error = core->engine_threads_.back()->start();
    if (*error != 0) return nullptr;
    core->started_ += 1;
  }
  return core;
}

Core::~Core() {
  wire::Header stop = {};
  stop.size = sizeof stop;
  stop.kind = static_cast<uint8_t>(wire::CommandKind::kStop);
  for (uint32_t number = 0; number < started_; number += 1) engine_threads_[number]->post(&stop, sizeof stop);
  for (uint32_t number = 0; number < started_; number += 1) engine_threads_[number]->join();
}

void Core::set_limits(uint16_t listener, const ListenerLimits& limits) {
  SWITCHYARD_CHECK(listener < limits::kListenersMax);
  Listener& target = shared_->listeners[listener];
  target.hello_bytes_max.store(limits.hello_bytes_max, std::memory_order_relaxed);
  target.hello_deadline_ms.store(limits.hello_deadline_ms, std::memory_order_relaxed);
  target.client_idle_timeout_ms.store(limits.client_idle_timeout_ms, std::memory_order_relaxed);
  target.connections_max.store(limits.connections_max, std::memory_order_relaxed);
}

Core::Bound Core::bind(uint16_t listener, const Address& address, bool defer_accept) {
  Bound bound = {0, next_bind_, address};
  std::vector<Descriptor> sockets;
  for (uint32_t number = 0; number < threads() && bound.error == 0; number += 1) {
    // The first socket is refused where another one listens; the others share its address.
    const sys::FileResult made = sys::bind_listener(bound.address, number > 0);
    bound.error = made.error;
    if (made.error != 0) break;
    sockets.emplace_back(made.fd);
    if (number == 0) bound.error = sys::local_address(made.fd, &bound.address);
  }
  // No socket listens before all of them are bound, so a bind that fails has not accepted anything.
  sys::ListenerSocketSettings settings;
  settings.defer_seconds = defer_accept ? limits::kDeferAcceptSeconds : 0;
  settings.notsent_bytes = limits::kNotsentBytes;
  settings.backlog = limits::kListenBacklog;
  for (const Descriptor& socket : sockets)
    if (bound.error == 0) bound.error = sys::start_listening(socket.get(), settings);
  if (bound.error != 0) return bound;

  wire::SocketCommand command = {};
  command.header.size = sizeof command;
  command.header.kind = static_cast<uint8_t>(wire::CommandKind::kAddSocket);
  command.header.listener = listener;
  command.header.slot = bound.bind;
  command.wildcard = bound.address.wildcard() ? 1 : 0;
  for (uint32_t number = 0; number < threads(); number += 1) {
    command.fd = sockets[number].release();
    engine_threads_[number]->post(&command, sizeof command);
  }
  next_bind_ = (next_bind_ + 1) % (1u << 30);
  return bound;
}

void Core::unbind(uint32_t bind) {
  wire::Header header = {};
  header.size = sizeof header;
  header.kind = static_cast<uint8_t>(wire::CommandKind::kRemoveSocket);
  header.slot = bind;
  post_to_all(header);
}

bool Core::verdicts_valid(const uint8_t* records, size_t size) {
  size_t at = 0;
  while (at < size) {
    wire::Header header;
    if (size - at < sizeof header) return false;
    memcpy(&header, records + at, sizeof header);
    if (header.size < sizeof header || header.size % 8 != 0 || header.size > size - at) return false;
    const size_t left = header.size;
    if (header.kind == static_cast<uint8_t>(wire::CommandKind::kConnect)) {
      wire::ConnectCommand command;
      if (left < sizeof command) return false;
      memcpy(&command, records + at, sizeof command);
      if (command.prefix_bytes > left - sizeof command || command.prefix_bytes > limits::kPrefixBytesMax) return false;
      if (command.address.family != 4 && command.address.family != 6) return false;
      if (command.source.family != 0 && command.source.family != 4 && command.source.family != 6) return false;
    } else if (header.kind == static_cast<uint8_t>(wire::CommandKind::kReject)) {
      wire::RejectCommand command;
      if (left < sizeof command) return false;
      memcpy(&command, records + at, sizeof command);
      if (command.alert_bytes > left - sizeof command) return false;
    } else if (header.kind == static_cast<uint8_t>(wire::CommandKind::kWait)) {
      if (left < sizeof(wire::WaitCommand)) return false;
    } else if (header.kind != static_cast<uint8_t>(wire::CommandKind::kMoreBytes)) {
      return false;
    }
    at += header.size;
  }
  return true;
}

void Core::submit(const uint8_t* records, size_t size) {
  size_t at = 0;
  while (at < size) {
    // A run of records for one thread is posted in one go; with one thread that is the whole batch.
    const size_t start = at;
    uint32_t number = 0;
    while (at < size) {
      wire::Header header;
      memcpy(&header, records + at, sizeof header);
      const uint32_t owner = header.slot % threads();
      if (at == start) number = owner;
      if (owner != number) break;
      at += header.size;
    }
    engine_threads_[number]->post(records + start, at - start);
  }
}

void Core::abort_connection(uint32_t slot, uint32_t generation, uint8_t reason) {
  const wire::Header header = {sizeof header, static_cast<uint8_t>(wire::CommandKind::kAbort), reason, 0, slot,
                               generation};
  engine_threads_[slot % threads()]->post(&header, sizeof header);
}

void Core::drain_connections() {
  wire::Header header = {};
  header.size = sizeof header;
  header.kind = static_cast<uint8_t>(wire::CommandKind::kDrain);
  post_to_all(header);
}

void Core::end_all(uint8_t reason) {
  wire::Header header = {};
  header.size = sizeof header;
  header.kind = static_cast<uint8_t>(wire::CommandKind::kEndAll);
  header.code = reason;
  post_to_all(header);
}

void Core::post_to_all(const wire::Header& header) {
  for (const auto& thread : engine_threads_) thread->post(&header, sizeof header);
}

size_t Core::drain(uint8_t* into, size_t capacity) {
  size_t copied = 0;
  for (uint32_t offset = 0; offset < threads(); offset += 1)
    copied += engine_threads_[(drain_first_ + offset) % threads()]->drain(into + copied, capacity - copied);
  drain_first_ = (drain_first_ + 1) % threads();
  return copied;
}

bool Core::reports_empty() const {
  return std::all_of(engine_threads_.begin(), engine_threads_.end(),
                     [](const auto& thread) { return thread->reports_empty(); });
}

Stats Core::stats() const {
  Stats sum = {};
  for (const auto& thread : engine_threads_) {
    const Counters& counters = thread->counters();
    sum.connections += counters.connections.load(std::memory_order_relaxed);
    sum.hellos_pending += counters.hellos_pending.load(std::memory_order_relaxed);
    sum.accepted += counters.accepted.load(std::memory_order_relaxed);
    sum.accept_pauses += counters.accept_pauses.load(std::memory_order_relaxed);
    sum.queue_waits += counters.queue_waits.load(std::memory_order_relaxed);
    sum.tap_bytes_dropped += counters.tap_bytes_dropped.load(std::memory_order_relaxed);
  }
  return sum;
}

}  // namespace switchyard
