#ifndef SWITCHYARD_MAILBOX_H_
#define SWITCHYARD_MAILBOX_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "descriptor.h"

namespace switchyard {

// Records of `wire.h` from the JavaScript thread to one engine thread, bounded. The engine is rung once, however many
// posts follow before it looks. A post that would pass the bound waits for the engine to empty the box: the engine
// never waits for JavaScript, so that wait ends within one of its turns.
class Mailbox {
 public:
  explicit Mailbox(size_t bytes_max) : bytes_max_(bytes_max) {}

  // 0, or why there is no eventfd.
  int open();
  int eventfd() const { return bell_.get(); }

  void post(const void* record, size_t size);

  // For the engine. Without a lock, and cheap: asked every turn.
  bool has_mail() const { return has_mail_.load(std::memory_order_acquire); }
  // Swaps the records into `into`, which is cleared first.
  void take(std::vector<uint8_t>* into);

 private:
  const size_t bytes_max_;
  Descriptor bell_;
  std::mutex mutex_;
  std::condition_variable emptied_;
  std::vector<uint8_t> records_;
  std::atomic<bool> has_mail_{false};
};

}  // namespace switchyard

#endif  // SWITCHYARD_MAILBOX_H_
