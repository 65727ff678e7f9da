#ifndef SWITCHYARD_CONNECTION_H_
#define SWITCHYARD_CONNECTION_H_

#include <cstdint>
#include <memory>

#include "address.h"
#include "block.h"
#include "descriptor.h"
#include "hello_framing.h"
#include "life.h"
#include "reason.h"
#include "record_walk.h"
#include "timer_wheel.h"

namespace switchyard {

enum class End : uint8_t { kClient = 0, kServer = 1 };

constexpr End other(End end) { return end == End::kClient ? End::kServer : End::kClient; }

// One end of a connection: a socket, and what is to be written to it.
struct Side {
  Descriptor socket;
  // When a byte last went in or came out here: the low 32 bits of the thread's clock.
  uint32_t active_ms = 0;
  // Bytes that came from the other end and that this socket did not take. While dialling, the server's side holds the
  // prefix here.
  Block pending;
  uint32_t idle_timeout_ms = 0;
  bool watched : 1 = false;      // in the epoll set
  bool watched_out : 1 = false;  // and asks there for room to write
  bool readable : 1 = false;     // a read may find something; edge-triggered, so it is remembered here
  bool writable : 1 = false;     // a write may succeed
  bool end_seen : 1 = false;     // epoll said that the stream's end has arrived, though bytes may be before it
  bool receive_bounded : 1 = false;  // its receive buffer is fixed
  bool unsent_bounded : 1 = false;   // TCP_NOTSENT_LOWAT is set; accepted sockets inherit it
  bool urgent_seen : 1 = false;  // a read may stop early at the urgent mark, so a short one proves nothing
  bool splicing : 1 = false;     // what is read here comes in large pieces
  bool reset_seen : 1 = false;   // the peer has reset; what it had sent before is still to be read
  bool ended : 1 = false;        // read to its end
  bool finished : 1 = false;     // we have sent our FIN, or found that the peer takes no more
};

// What a connection needs only until its server has the hello.
struct Greeting {
  Block bytes;  // all that the client has sent
  HelloFraming framing;
  Address local;  // the address that the client reached
};

// One client connection and, later, its server's. Owned by its thread's slab; named outside by slot and generation.
// Kept small: an idle pair holds this and nothing else in user space.
struct Connection {
  Side sides[2];
  TimerNode timer;
  uint32_t generation = 0;
  uint64_t accepted_ms = 0;
  uint64_t bytes_read[2] = {0, 0};
  std::unique_ptr<Greeting> greeting;
  uint32_t deadline_ms = 0;  // of the hello, the connect or the drain: by `life`; low 32 bits
  uint32_t half_close_timeout_ms = 0;
  uint32_t tap_left = 0;
  int32_t verdict_ms = -1;  // from accept to the first verdict; -1 before
  int32_t connect_ms = -1;  // from the first verdict to a connected server; -1 before
  uint32_t attempts = 0;
  uint32_t index = 0;  // its own place in the slab
  Address source;
  RecordWalk tapped;  // where the tap is in the server's records
  uint16_t listener = 0;
  Life life = Life::kFree;
  uint8_t close_reason = 0;
  ConnectFailure connect_failure = ConnectFailure::kOther;
  bool hello_complete : 1 = false;     // as JavaScript said with the first verdict
  bool in_ready_list : 1 = false;      // has used up its turn
  bool unanswered : 1 = false;         // has ended with a question open: a verdict on its way has no effect
  bool no_delay_set : 1 = false;       // on the server's socket
  bool peers_watched : 1 = false;      // keepalive and TCP_USER_TIMEOUT are set on both sockets

  // A verdict has come, so that the next question is a redecision.
  bool decided() const { return verdict_ms >= 0; }
  Side& side(End end) { return sides[static_cast<int>(end)]; }
};

}  // namespace switchyard

#endif  // SWITCHYARD_CONNECTION_H_
