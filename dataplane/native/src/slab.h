#ifndef SWITCHYARD_SLAB_H_
#define SWITCHYARD_SLAB_H_

#include <cstdint>
#include <vector>

#include "connection.h"

namespace switchyard {

// The connections of one thread, in chunks that are never moved, so that a pointer holds until its release. A released
// slot is taken again under the next generation; a slot whose generations are used up (4 thousand million) is left
// alone, so slot and generation together name a connection for ever.
class Slab {
 public:
  explicit Slab(uint32_t slots_max) : slots_max_(slots_max) {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  // Closes whatever is still open.
  ~Slab();

  // Makes sure that the next `take` has a slot. False where there is no memory, or every slot is in use.
  bool prepare();
  // A fresh connection in Life::kFree; only after `prepare`.
  Connection& take();
  // Ends what the connection owns and frees its slot.
  void release(uint32_t index);

  Connection& at(uint32_t index) { return chunks_[index / kChunkSlots][index % kChunkSlots]; }
  // The connection of that name, or null where it has ended.
  Connection* find(uint32_t index, uint32_t generation);

  TimerNode& timer(uint32_t index) { return at(index).timer; }
  uint32_t slots_made() const { return slots_made_; }

 private:
  static constexpr uint32_t kChunkSlots = 256;

  void renew(uint32_t index, uint32_t generation);

  const uint32_t slots_max_;
  uint32_t slots_made_ = 0;
  std::vector<Connection*> chunks_;
  std::vector<uint32_t> free_;
};

}  // namespace switchyard

#endif  // SWITCHYARD_SLAB_H_
