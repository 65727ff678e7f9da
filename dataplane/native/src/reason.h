#ifndef SWITCHYARD_REASON_H_
#define SWITCHYARD_REASON_H_

#include <cstdint>

namespace switchyard {

// The reasons of model/reason.ts that the engine itself finds, by their place in `closeReasons` of native-wire.ts. The
// others come with a verdict and are given back as they came, so they have no name here.
enum class CloseReason : uint8_t {
  kDone = 0,
  kHelloTimeout = 1,
  kHelloAborted = 2,
  kClientReset = 3,
  kServerReset = 4,
  kClientIdle = 5,
  kServerIdle = 6,
  kHalfCloseTimeout = 7,
  kConnectionsMax = 8,
  kClientGone = 9,
  kShutdown = 10,
  kInternal = 11,
};

// Why one attempt to connect failed, by its place in `connectFailures` of native-wire.ts.
enum class ConnectFailure : uint8_t {
  kRefused = 0,
  kTimeout = 1,
  kUnreachable = 2,
  kReset = 3,
  kLocalLimit = 4,
  kOther = 5,
};

ConnectFailure connect_failure(int error);

}  // namespace switchyard

#endif  // SWITCHYARD_REASON_H_
