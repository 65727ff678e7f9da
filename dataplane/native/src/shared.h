#ifndef SWITCHYARD_SHARED_H_
#define SWITCHYARD_SHARED_H_

#include <atomic>
#include <cstdint>

#include "limits.h"

namespace switchyard {

// A listener's limits and its count, for all threads. The JavaScript thread writes the limits; they hold for
// connections accepted from then on.
struct Listener {
  std::atomic<uint32_t> hello_bytes_max{0};
  std::atomic<uint32_t> hello_deadline_ms{0};
  std::atomic<uint32_t> client_idle_timeout_ms{0};
  std::atomic<uint32_t> connections_max{0};
  std::atomic<uint32_t> connections{0};
};

// Asks the JavaScript thread to drain the report rings. Called on engine threads; must not block.
using Wake = void (*)(void* context);

// What the engine's threads and the JavaScript thread have in common.
struct Shared {
  uint32_t threads = 1;
  Wake wake = nullptr;
  void* wake_context = nullptr;
  // True from a wake-up until JavaScript begins to drain: one wake-up for however many reports.
  std::atomic<bool> woken{false};
  // Descriptors that connections hold or may still need: two each. The rest of the process's limit is kept free for
  // health checks, the control link and whatever else the process opens.
  std::atomic<int64_t> descriptors{0};
  int64_t descriptors_max = 0;
  Listener listeners[limits::kListenersMax];
};

// Written by one engine thread, read by JavaScript at any time.
struct Counters {
  std::atomic<uint64_t> connections{0};
  std::atomic<uint64_t> hellos_pending{0};
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> accept_pauses{0};
  std::atomic<uint64_t> queue_waits{0};        // questions that found the report ring full
  std::atomic<uint64_t> tap_bytes_dropped{0};  // tapped server bytes that found it full

  // No other thread writes, so a plain load and store will do.
  static void add(std::atomic<uint64_t>& counter, uint64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
};

}  // namespace switchyard

#endif  // SWITCHYARD_SHARED_H_
