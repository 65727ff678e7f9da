#ifndef SWITCHYARD_DESCRIPTOR_H_
#define SWITCHYARD_DESCRIPTOR_H_

#include "syscalls.h"

namespace switchyard {

// Owns one file descriptor and closes it exactly once. Whoever holds the Descriptor owns the file; a plain int is only
// ever borrowed.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

  // Hands the file to the caller.
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

  void reset(int fd = -1) {
    if (fd_ >= 0) sys::close_file(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace switchyard

#endif  // SWITCHYARD_DESCRIPTOR_H_
