#ifndef SWITCHYARD_CORE_H_
#define SWITCHYARD_CORE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "engine_thread.h"
#include "shared.h"

namespace switchyard {

struct ListenerLimits {
  uint32_t hello_bytes_max;
  uint32_t hello_deadline_ms;
  uint32_t client_idle_timeout_ms;
  uint32_t connections_max;
};

struct Stats {
  uint64_t connections;
  uint64_t hellos_pending;
  uint64_t accepted;
  uint64_t accept_pauses;
  uint64_t queue_waits;
  uint64_t tap_bytes_dropped;
};

// The engine without JavaScript: threads that move bytes, and one other thread, the caller's, that decides. All methods
// are for that one thread. It learns of work by `wake`, reads reports with `drain` and answers with `submit`; both are
// sequences of the records in wire.h.
class Core {
 public:
  struct Options {
    uint32_t threads;
    // Of the process's limit of open files, how many connections may never take.
    uint32_t descriptors_reserved;
  };

  // Null and errno where the system does not give what the threads need.
  static std::unique_ptr<Core> start(const Options& options, Wake wake, void* wake_context, int* error);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  // Stops at once: connections are closed without a report.
  ~Core();

  uint32_t threads() const { return shared_->threads; }

  void set_limits(uint16_t listener, const ListenerLimits& limits);

  struct Bound {
    int error;  // errno, or 0
    uint32_t bind;
    Address address;  // with the port that the system gave for port 0
  };
  // One socket per thread on this address, for this listener, accepting as soon as the threads see it.
  Bound bind(uint16_t listener, const Address& address, bool defer_accept);
  // Each thread answers with kUnbound once its socket is closed.
  void unbind(uint32_t bind);

  // Whether the bytes are whole, well-formed commands that JavaScript may give: verdicts.
  static bool verdicts_valid(const uint8_t* records, size_t size);
  // Hands verdicts that are valid to their threads.
  void submit(const uint8_t* records, size_t size);
  void abort_connection(uint32_t slot, uint32_t generation, uint8_t reason);

  // Stop accepting; each thread answers with kDrained when it has no connection left.
  void drain_connections();
  void end_all(uint8_t reason);

  // To be called before draining for a wake-up: what is reported later wakes again.
  void begin_drain() { shared_->woken.store(false); }
  size_t drain(uint8_t* into, size_t capacity);
  bool reports_empty() const;

  Stats stats() const;

 private:
  explicit Core(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}

  void post_to_all(const wire::Header& header);

  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<EngineThread>> engine_threads_;
  uint32_t started_ = 0;
  uint32_t next_bind_ = 0;
  uint32_t drain_first_ = 0;  // whose reports are read first, in turn
};

}  // namespace switchyard

#endif  // SWITCHYARD_CORE_H_
