#pragma once

#include <cstdint>

namespace load {

// What went wrong with one connection. A run that saw any of them is not a measurement: the harness fails the round.
enum class Fault : std::uint8_t {
  none,
  refused,
  reset,
  closedEarly,
  timeout,
  localLimit,
  wrongReply,
  other,
};

inline constexpr int faultKinds = 8;

const char* faultName(Fault fault);

// The fault behind an errno of a socket call.
Fault faultOfErrno(int code);

// Counts by kind.
class FaultCount {
 public:
  void add(Fault fault) { counts_[static_cast<int>(fault)] += 1; }
  [[nodiscard]] std::uint64_t total() const;
  // `"faults":{"reset":2},"faultsTotal":2`
  void print() const;

 private:
  std::uint64_t counts_[faultKinds] = {};
};

// Ends the process with a line on stderr: for what is wrong with the run itself (options, epoll, listening).
[[noreturn]] void die(const char* what);
[[noreturn]] void dieOfErrno(const char* what);

}  // namespace load
