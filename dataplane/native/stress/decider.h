#ifndef SWITCHYARD_STRESS_DECIDER_H_
#define SWITCHYARD_STRESS_DECIDER_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "../src/core.h"
#include "peers.h"
#include "plan.h"

namespace stress {

// Stands in for Node: drains the reports, answers from the plans, moves listeners about, and now and then sleeps, as
// JavaScript does when it collects garbage. It keeps account of every connection.
class Decider {
 public:
  struct Options {
    uint64_t seed;
    uint32_t threads;
  };

  Decider(const Options& options, Peers* peers);
  ~Decider();

  // False and `failure` where the engine can't be started.
  bool start();
  // Decides until `stop` is called.
  void run();
  void stop();
  // Lets connections end, ends what is left, and checks the account.
  void finish();

  const std::string& failure() const { return failure_; }
  uint64_t closed() const { return closed_; }
  uint64_t closed_for(uint8_t reason) const { return reasons_[reason]; }
  uint64_t told_to_wait() const { return told_to_wait_; }
  uint64_t queue_waits() const { return queue_waits_; }

 private:
  static void wake(void* self);
  bool wait(uint32_t for_ms);
  void read_reports();
  void read_report(const uint8_t* record);
  void decide(const uint8_t* record);
  void decide_hello(const switchyard::wire::Header& to, size_t skipped, const Plan& plan);
  void wait_for(const switchyard::wire::Header& to, size_t skipped, const switchyard::Address& server);
  void answer_some();
  void submit();
  void more_bytes(const switchyard::wire::Header& to);
  void connect(const switchyard::wire::Header& to, size_t skipped, const switchyard::Address& address);
  void reject(const switchyard::wire::Header& to);
  void move_listeners();
  void bind(uint16_t listener);
  void publish_targets();
  void fail(const std::string& what);

  struct Bind {
    uint32_t number;
    uint16_t listener;
    switchyard::Address address;
  };

  // A connection that was told to wait, and what it is to be answered.
  struct Wait {
    switchyard::wire::Header header;
    switchyard::Address server;  // of no family: it is refused
  };

  const Options options_;
  Peers* const peers_;
  Random random_;
  std::unique_ptr<switchyard::Core> core_;
  std::vector<uint8_t> batch_;
  std::vector<uint8_t> verdicts_;
  std::vector<Bind> binds_;
  switchyard::Address refusing_;
  std::vector<Wait> waits_;
  std::vector<uint64_t> aborts_;
  std::unordered_set<uint64_t> asked_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool wake_pending_ = false;
  bool stopping_ = false;
  uint32_t drained_ = 0;
  uint64_t closed_ = 0;
  uint64_t reasons_[256] = {};
  uint64_t told_to_wait_ = 0;
  uint64_t queue_waits_ = 0;
  std::string failure_;
};

}  // namespace stress

#endif  // SWITCHYARD_STRESS_DECIDER_H_
