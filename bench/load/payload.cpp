#include "payload.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "fault.h"

namespace load {

Payload::Payload() : content_(bytes), file_(::memfd_create("bulk", MFD_CLOEXEC)) {
  std::uint64_t state = 0x2545f4914f6cdd1d;
  for (std::uint8_t& byte : content_) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<std::uint8_t>(state);
  }
  if (!file_.open()) dieOfErrno("memfd_create");
  if (::write(file_.get(), content_.data(), bytes) != static_cast<ssize_t>(bytes)) dieOfErrno("write to the memory file");
}

ssize_t Payload::sendTo(int socket, std::uint64_t at, std::size_t most) const {
  auto offset = static_cast<off_t>(at % bytes);
  return ::sendfile(socket, file_.get(), &offset, std::min(most, bytes - static_cast<std::size_t>(at % bytes)));
}

bool Payload::matches(const std::uint8_t* received, std::size_t count, std::uint64_t at) const {
  for (std::size_t done = 0; done < count;) {
    const auto offset = static_cast<std::size_t>((at + done) % bytes);
    const std::size_t length = std::min(count - done, bytes - offset);
    if (std::memcmp(received + done, content_.data() + offset, length) != 0) return false;
    done += length;
  }
  return true;
}

}  // namespace load
