#ifndef SWITCHYARD_STRESS_PEERS_H_
#define SWITCHYARD_STRESS_PEERS_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "../src/address.h"
#include "../src/descriptor.h"
#include "plan.h"

namespace stress {

// The clients and the servers around the engine: one thread, level-triggered, deliberately plain. Each end sends its
// plan's bytes in random pieces and checks each byte that it gets.
class Peers {
 public:
  struct Options {
    uint64_t seed;
    uint64_t connections;    // in all
    uint32_t at_once;
  };

  explicit Peers(const Options& options);

  switchyard::Address server_address() const { return server_address_; }
  // Where clients may connect; the decider keeps it up to date. Connections to a target that has just gone may fail.
  void set_targets(const std::vector<switchyard::Address>& targets);

  // Runs until all connections have been made and are over, or `stop`.
  void run();
  void stop() { stopping_.store(true); }

  uint64_t orderly_done() const { return orderly_done_; }
  uint64_t alerts_read() const { return alerts_read_; }
  uint64_t refused() const { return refused_; }
  const std::string& failure() const { return failure_; }

 private:
  struct Endpoint {
    switchyard::Descriptor socket;
    Plan plan{};
    uint64_t number = 0;
    bool is_client = false;
    bool planned = false;    // a server's endpoint knows its plan once it has the hello
    bool connected = false;
    bool finished = false;   // has sent its FIN
    bool ended = false;      // has read the other's
    bool broken = false;     // a write has failed, which took the socket's error with it
    uint32_t interest = 0;
    uint64_t paused_until_ms = 0;
    uint64_t born_ms = 0;
    std::vector<uint8_t> hello;
    size_t hello_sent = 0;
    uint64_t sent = 0;
    uint64_t received = 0;
  };

  void begin_clients();
  void begin_client(uint64_t number);
  void accept_servers();
  void serve(Endpoint& endpoint, uint32_t events);
  void read_some(Endpoint& endpoint);
  void take_bytes(Endpoint& endpoint, const uint8_t* bytes, size_t size);
  void write_some(Endpoint& endpoint);
  void reset(Endpoint& endpoint);
  void drop(Endpoint& endpoint);
  void update_interest(Endpoint& endpoint);
  void wake_paused();
  void fail(const Endpoint& endpoint, const char* what);
  bool must_arrive(const Endpoint& endpoint) const;
  bool unserved(const Endpoint& endpoint) const;

  const Options options_;
  Random random_;
  switchyard::Descriptor epoll_;
  switchyard::Descriptor listening_;
  switchyard::Address server_address_;
  std::unordered_map<int, std::unique_ptr<Endpoint>> endpoints_;
  std::mutex targets_mutex_;
  std::vector<switchyard::Address> targets_;
  std::vector<uint8_t> buffer_;
  std::atomic<bool> stopping_{false};
  uint64_t begun_ = 0;
  uint64_t clients_live_ = 0;
  uint64_t now_ms_ = 0;
  uint64_t orderly_done_ = 0;
  uint64_t alerts_read_ = 0;
  uint64_t refused_ = 0;
  std::string failure_;
};

}  // namespace stress

#endif  // SWITCHYARD_STRESS_PEERS_H_
