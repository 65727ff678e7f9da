#ifndef SWITCHYARD_BLOCK_H_
#define SWITCHYARD_BLOCK_H_

#include <cstddef>
#include <cstdint>

namespace switchyard {

// Bytes that one connection holds: what a reader has not taken yet, a hello, a prefix. An empty Block owns no memory
// and is one pointer wide, since nearly every connection has nothing to hold at nearly every moment.
class Block {
 public:
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { clear(); }

  bool empty() const { return head_ == nullptr; }
  size_t size() const { return head_ == nullptr ? 0 : head_->end - head_->start; }
  const uint8_t* data() const { return head_ == nullptr ? nullptr : bytes() + head_->start; }

  // Copies bytes behind those that are there. False where there is no memory; then nothing has changed. What is
  // allocated follows what came: at most an eighth and 63 bytes more.
  [[nodiscard]] bool append(const void* from, size_t size);

  // Forgets the first bytes; gives the memory back with the last of them.
  void consume(size_t size);

  void clear();

 private:
  struct Head {
    uint32_t start;
    uint32_t end;
    uint32_t capacity;
  };

  uint8_t* bytes() const { return reinterpret_cast<uint8_t*>(head_ + 1); }

  Head* head_ = nullptr;
};

}  // namespace switchyard

#endif  // SWITCHYARD_BLOCK_H_
