#ifndef SWITCHYARD_TIMER_WHEEL_H_
#define SWITCHYARD_TIMER_WHEEL_H_

#include <cstdint>
#include <vector>

namespace switchyard {

inline constexpr uint32_t kNoIndex = UINT32_MAX;

// A connection's place in the wheel: a doubly linked list by slab index.
struct TimerNode {
  uint32_t next = kNoIndex;
  uint32_t previous = kNoIndex;
  uint32_t bucket = kNoIndex;  // kNoIndex: not in the wheel
};

// One timer per connection, hashed by deadline into buckets of 8 ms over 65 s. A later deadline waits in the farthest
// bucket and is looked at again, so a timer costs the same whatever its length. Deadlines that move away (activity)
// are not moved here: the owner compares with its real deadline when the wheel comes round, and arms again. `Nodes`
// maps an index to its TimerNode.
class TimerWheel {
 public:
  TimerWheel() : buckets_(kBuckets, kNoIndex) {}

  void start(uint64_t now_ms) { turned_to_ = now_ms / kTickMs; }

  // Arms the timer, or moves it where the deadline is another.
  template <typename Nodes>
  void arm(Nodes& nodes, uint32_t index, uint64_t deadline_ms) {
    disarm(nodes, index);
    // Rounded up, so that a timer never comes early.
    uint64_t tick = (deadline_ms + kTickMs - 1) / kTickMs;
    if (tick <= turned_to_) tick = turned_to_ + 1;
    if (tick > turned_to_ + kBuckets - 1) tick = turned_to_ + kBuckets - 1;
    if (armed_ == 0 || tick < earliest_) earliest_ = tick;
    const uint32_t bucket = static_cast<uint32_t>(tick % kBuckets);
    TimerNode& node = nodes.timer(index);
    node.bucket = bucket;
    node.previous = kNoIndex;
    node.next = buckets_[bucket];
    if (node.next != kNoIndex) nodes.timer(node.next).previous = index;
    buckets_[bucket] = index;
    armed_ += 1;
  }

  template <typename Nodes>
  void disarm(Nodes& nodes, uint32_t index) {
    TimerNode& node = nodes.timer(index);
    if (node.bucket == kNoIndex) return;
    if (node.previous != kNoIndex)
      nodes.timer(node.previous).next = node.next;
    else
      buckets_[node.bucket] = node.next;
    if (node.next != kNoIndex) nodes.timer(node.next).previous = node.previous;
    node = TimerNode{};
    armed_ -= 1;
  }

  // Disarms every timer that is due and calls `due(index)` for it, which may arm and disarm any timer.
  template <typename Nodes, typename Due>
  void turn(Nodes& nodes, uint64_t now_ms, Due due) {
    const uint64_t now = now_ms / kTickMs;
    if (armed_ == 0 || now < earliest_) {
      if (now > turned_to_) turned_to_ = now;
      return;
    }
    // Nothing is armed before `earliest_`, so the ticks up to there are passed over.
    if (earliest_ > turned_to_ + 1) turned_to_ = earliest_ - 1;
    while (turned_to_ < now) {
      turned_to_ += 1;
      const uint32_t bucket = static_cast<uint32_t>(turned_to_ % kBuckets);
      while (buckets_[bucket] != kNoIndex) {
        const uint32_t index = buckets_[bucket];
        disarm(nodes, index);
        due(index);
      }
    }
    find_earliest();
  }

  // When the next timer may be due; UINT64_MAX where none is armed.
  uint64_t next_ms() const { return armed_ == 0 ? UINT64_MAX : earliest_ * kTickMs; }

  uint32_t armed() const { return armed_; }

 private:
  static constexpr uint64_t kTickMs = 8;
  static constexpr uint32_t kBuckets = 8192;

  void find_earliest() {
    if (armed_ == 0) return;
    for (uint64_t tick = turned_to_ + 1; tick < turned_to_ + kBuckets; tick += 1) {
      if (buckets_[tick % kBuckets] == kNoIndex) continue;
      earliest_ = tick;
      return;
    }
  }

  std::vector<uint32_t> buckets_;
  uint64_t turned_to_ = 0;  // the last tick whose timers were called
  uint64_t earliest_ = 0;   // no timer is armed before it; meaningful while armed_ > 0
  uint32_t armed_ = 0;
};

}  // namespace switchyard

#endif  // SWITCHYARD_TIMER_WHEEL_H_
