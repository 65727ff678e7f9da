#include "fault.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace load {

const char* faultName(Fault fault) {
  switch (fault) {
    case Fault::none: return "none";
    case Fault::refused: return "refused";
    case Fault::reset: return "reset";
    case Fault::closedEarly: return "closed_early";
    case Fault::timeout: return "timeout";
    case Fault::localLimit: return "local_limit";
    case Fault::wrongReply: return "wrong_reply";
    case Fault::other: return "other";
  }
  return "other";
}

Fault faultOfErrno(int code) {
  switch (code) {
    case 0: return Fault::none;
    case ECONNREFUSED: return Fault::refused;
    case ECONNRESET:
    case EPIPE: return Fault::reset;
    case ETIMEDOUT:
    case EAGAIN:
    case EINPROGRESS: return Fault::timeout;
    // EADDRNOTAVAIL: every local port towards this destination is taken.
    case EADDRNOTAVAIL:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return Fault::localLimit;
    default: return Fault::other;
  }
}

std::uint64_t FaultCount::total() const {
  std::uint64_t sum = 0;
  for (std::uint64_t count : counts_) sum += count;
  return sum;
}

void FaultCount::print() const {
  std::printf("\"faults\":{");
  const char* separator = "";
  for (int kind = 0; kind < faultKinds; kind += 1) {
    if (counts_[kind] == 0) continue;
    std::printf("%s\"%s\":%" PRIu64, separator, faultName(static_cast<Fault>(kind)), counts_[kind]);
    separator = ",";
  }
  std::printf("},\"faultsTotal\":%" PRIu64, total());
}

void die(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(2);
}

void dieOfErrno(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(2);
}

}  // namespace load
