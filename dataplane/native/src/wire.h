#ifndef SWITCHYARD_WIRE_H_
#define SWITCHYARD_WIRE_H_

#include <cstdint>

#include "address.h"

// The records that cross between an engine thread and JavaScript, in the machine's byte order, each a multiple of 8
// bytes. dataplane/engine/native-wire.ts reads and writes the same offsets; kVersion is raised with every change, and
// an addon of another version is not loaded.
namespace switchyard::wire {

inline constexpr uint32_t kVersion = 2;

// Begins every record. A slot is the engine's: thread + index * threads. In a verdict `listener` is 1 where the hello was
// complete, and 0 where it was rejected.
struct Header {
  uint32_t size;  // of the whole record, this header included
  uint8_t kind;
  uint8_t code;
  uint16_t listener;
  uint32_t slot;
  uint32_t generation;
};
static_assert(sizeof(Header) == 16);

// ---- engine -> JavaScript

enum class ReportKind : uint8_t {
  kFiller = 0,      // never leaves the ring
  kHello = 1,       // asks for the first verdict
  kRedecide = 2,    // asks for another verdict; code: ConnectFailure
  kServerBytes = 3,
  kClosed = 4,      // code: CloseReason, or the reason that came with a verdict
  kUnbound = 5,     // the thread has closed its socket of a bind; slot: the bind's id
  kDrained = 6,     // the thread has stopped accepting and has no connection left
  kFault = 7,       // code: FaultPlace
};

enum class FaultPlace : uint8_t { kAccept = 0, kWatch = 1, kMemory = 2, kThread = 3, kListen = 4 };

struct HelloReport {
  Header header;
  Address source;
  Address local;
  uint32_t bytes;  // of the client's stream, behind this; a PROXY header among them
  uint32_t hello_bytes_max;
};
static_assert(sizeof(HelloReport) == 64);

struct RedecideReport {
  Header header;
  uint32_t attempt;
  uint32_t reserved;
};
static_assert(sizeof(RedecideReport) == 24);

struct ServerBytesReport {
  Header header;
  uint32_t bytes;  // behind this
  uint32_t reserved;
};
static_assert(sizeof(ServerBytesReport) == 24);

struct ClosedReport {
  Header header;
  double accepted_at_ms;
  double total_ms;
  double bytes_from_client;
  double bytes_from_server;
  int32_t hello_ms;
  int32_t connect_ms;
  uint32_t attempts;
  Address source;
  uint32_t unanswered;  // 1 where it ended while JavaScript was asked: no verdict since has had an effect
  uint32_t reserved;
};
static_assert(sizeof(ClosedReport) == 88);

struct FaultReport {
  Header header;
  int32_t error;  // errno
  uint32_t reserved;
};
static_assert(sizeof(FaultReport) == 24);

// ---- JavaScript -> engine

enum class CommandKind : uint8_t {
  // Verdicts: answers to kHello and kRedecide.
  kConnect = 1,
  kReject = 2,      // code: the reason
  kMoreBytes = 3,   // the hello goes on behind the bytes that were shown
  kWait = 4,        // kConnect or kReject comes later
  // Others.
  kAbort = 5,       // code: the reason
  kAddSocket = 6,
  kRemoveSocket = 7,
  kDrain = 8,       // close all listening sockets, report kDrained when no connection is left
  kEndAll = 9,      // code: the reason
  kStop = 10,
};

struct ConnectCommand {
  Header header;
  uint32_t connect_timeout_ms;
  uint32_t server_idle_timeout_ms;
  uint32_t half_close_timeout_ms;
  uint32_t tap_bytes_max;
  Address address;
  Address source;         // to connect from; family 0 for the system's choice
  uint32_t prefix_bytes;  // behind this
  uint32_t skipped_bytes;  // of the client's stream, at its head: a PROXY header, which is not passed on
};
static_assert(sizeof(ConnectCommand) == 80);

struct WaitCommand {
  Header header;
  uint32_t skipped_bytes;
  uint32_t reserved;
};
static_assert(sizeof(WaitCommand) == 24);

struct RejectCommand {
  Header header;
  uint32_t alert_bytes;  // behind this
  uint32_t reserved;
};
static_assert(sizeof(RejectCommand) == 24);

struct SocketCommand {
  Header header;  // listener; slot: the bind's id
  int32_t fd;     // kAddSocket: the thread owns it from now on
  uint32_t wildcard;
};
static_assert(sizeof(SocketCommand) == 24);

constexpr uint32_t padded(uint32_t size) { return (size + 7) & ~7u; }

}  // namespace switchyard::wire

#endif  // SWITCHYARD_WIRE_H_
