#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "descriptor.h"

namespace load {

// The bytes of a bulk stream: 1 MiB of a fixed pseudo-random sequence, sent over and over from its start. They lie in a
// memory file as well, so that sendfile(2) hands its pages to the socket without copying: the generator then costs a
// fraction of what the proxy does, which copies in and out.
class Payload {
 public:
  static constexpr std::size_t bytes = 1 << 20;

  Payload();

  // Sends at most `most` bytes of the stream from position `at`, as far as the socket takes them. As sendfile(2).
  ssize_t sendTo(int socket, std::uint64_t at, std::size_t most) const;

  // Whether `count` bytes that came in are those of the stream at `at`.
  [[nodiscard]] bool matches(const std::uint8_t* received, std::size_t count, std::uint64_t at) const;

 private:
  std::vector<std::uint8_t> content_;
  Descriptor file_;
};

}  // namespace load
