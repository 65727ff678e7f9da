#include "block.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

namespace switchyard {

bool Block::append(const void* from, size_t size) {
  if (size == 0) return true;
  const size_t held = head_ == nullptr ? 0 : head_->end;
  const size_t needed = held + size;
  SWITCHYARD_CHECK(needed < (1u << 30));
  if (head_ == nullptr || needed > head_->capacity) {
    // The first piece is stored as it is; only bytes that drip get room to grow.
    const size_t capacity = head_ == nullptr ? needed : (needed + needed / 8 + 63) & ~size_t{63};
    Head* grown = static_cast<Head*>(realloc(head_, sizeof(Head) + capacity));
    if (grown == nullptr) return false;
    if (head_ == nullptr) grown->start = 0;
    grown->end = static_cast<uint32_t>(held);
    grown->capacity = static_cast<uint32_t>(capacity);
    head_ = grown;
  }
  memcpy(bytes() + held, from, size);
  head_->end = static_cast<uint32_t>(needed);
  return true;
}

void Block::consume(size_t size) {
  if (size == 0) return;
  SWITCHYARD_CHECK(head_ != nullptr && size <= head_->end - head_->start);
  head_->start += static_cast<uint32_t>(size);
  if (head_->start == head_->end) clear();
}

void Block::clear() {
  free(head_);
  head_ = nullptr;
}

}  // namespace switchyard
