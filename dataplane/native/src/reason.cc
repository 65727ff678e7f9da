#include "reason.h"

#include <errno.h>

namespace switchyard {

ConnectFailure connect_failure(int error) {
  switch (error) {
    case ECONNREFUSED:
      return ConnectFailure::kRefused;
    case ETIMEDOUT:
      return ConnectFailure::kTimeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EACCES:
    case EPERM:
      return ConnectFailure::kUnreachable;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return ConnectFailure::kReset;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
    case EAGAIN:
      return ConnectFailure::kLocalLimit;
    default:
      return ConnectFailure::kOther;
  }
}

}  // namespace switchyard
