#include "mailbox.h"

#include "syscalls.h"

namespace switchyard {

int Mailbox::open() {
  const sys::FileResult made = sys::make_eventfd();
  bell_.reset(made.fd);
  return made.error;
}

void Mailbox::post(const void* record, size_t size) {
  bool ring;
  {
    std::unique_lock lock(mutex_);
    while (!records_.empty() && records_.size() + size > bytes_max_) emptied_.wait(lock);
    ring = !has_mail_.load(std::memory_order_relaxed);
    const uint8_t* bytes = static_cast<const uint8_t*>(record);
    records_.insert(records_.end(), bytes, bytes + size);
    has_mail_.store(true, std::memory_order_release);
  }
  if (ring) sys::ring_eventfd(bell_.get());
}

void Mailbox::take(std::vector<uint8_t>* into) {
  into->clear();
  {
    const std::lock_guard lock(mutex_);
    records_.swap(*into);
    has_mail_.store(false, std::memory_order_release);
  }
  emptied_.notify_all();
}

}  // namespace switchyard
