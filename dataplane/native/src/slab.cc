#include "slab.h"

#include <new>

#include "check.h"
#include "syscalls.h"

namespace switchyard {

Slab::~Slab() {
  for (uint32_t index = 0; index < slots_made_; index += 1) at(index).~Connection();
  for (Connection* chunk : chunks_) sys::unmap_pages(chunk, kChunkSlots * sizeof(Connection));
}

bool Slab::prepare() {
  if (!free_.empty()) return true;
  if (slots_made_ == slots_max_) return false;
  if (slots_made_ % kChunkSlots == 0) {
    void* pages = sys::map_pages(kChunkSlots * sizeof(Connection));
    if (pages == nullptr) return false;
    chunks_.push_back(static_cast<Connection*>(pages));
  }
  const uint32_t index = slots_made_;
  slots_made_ += 1;
  renew(index, 1);
  free_.push_back(index);
  return true;
}

Connection& Slab::take() {
  SWITCHYARD_CHECK(!free_.empty());
  const uint32_t index = free_.back();
  free_.pop_back();
  return at(index);
}

void Slab::renew(uint32_t index, uint32_t generation) {
  Connection* connection = new (&at(index)) Connection;
  connection->index = index;
  connection->generation = generation;
}

void Slab::release(uint32_t index) {
  Connection& connection = at(index);
  SWITCHYARD_CHECK(connection.life == Life::kEnded && connection.timer.bucket == kNoIndex);
  const uint32_t generation = connection.generation;
  connection.~Connection();
  const bool used_up = generation == UINT32_MAX;
  renew(index, used_up ? generation : generation + 1);
  if (!used_up) free_.push_back(index);
}

Connection* Slab::find(uint32_t index, uint32_t generation) {
  if (index >= slots_made_) return nullptr;
  Connection& connection = at(index);
  return connection.generation == generation && connection.life != Life::kFree ? &connection : nullptr;
}

}  // namespace switchyard
