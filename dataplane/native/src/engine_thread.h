#ifndef SWITCHYARD_ENGINE_THREAD_H_
#define SWITCHYARD_ENGINE_THREAD_H_

#include <pthread.h>
#include <sys/epoll.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "address.h"
#include "connection.h"
#include "descriptor.h"
#include "limits.h"
#include "mailbox.h"
#include "report_ring.h"
#include "shared.h"
#include "slab.h"
#include "timer_wheel.h"
#include "wire.h"

namespace switchyard {

// One native thread with its epoll set, its listening sockets and its connections; nobody else touches these. It talks
// to JavaScript through its report ring and its mailbox, and never waits for it.
//
// The life of a connection is told in the files accepting.cc, greeting.cc, dialling.cc, relaying.cc, rejecting.cc and
// ending.cc; engine_thread.cc has the loop.
class EngineThread {
 public:
  EngineThread(Shared* shared, uint32_t number);
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  // Makes what the thread needs and starts it. 0, or errno.
  int start();
  // Waits for the end of a thread that was told to stop; what it owned is closed.
  void join();

  void post(const void* record, size_t size) { mailbox_.post(record, size); }
  // For the JavaScript thread; see ReportRing::drain. Rings the thread where it was waiting for room.
  size_t drain(uint8_t* into, size_t capacity);
  bool reports_empty() const { return reports_.empty(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Name {
    uint32_t index;
    uint32_t generation;
  };

  struct ListeningSocket {
    Descriptor socket;
    uint32_t bind = 0;
    uint16_t listener = 0;
    bool wildcard = false;
    bool watched = false;
    Address local;
  };

  // ---- engine_thread.cc: the loop
  static void* entry(void* self);
  void run();
  int wait_ms() const;
  void dispatch(const epoll_event& event);
  void connection_event(Connection& connection, End end, uint32_t events);
  void read_mail();
  void obey(const wire::Header& header, const uint8_t* record);
  void timer_due(uint32_t index);
  void serve_ready_list();
  void become(Connection& connection, Life life);
  // The end that is not in the epoll set yet joins it. False where the kernel refuses; then the connection has ended.
  bool watch(Connection& connection, End end);
  // A socket that took less than it was given is watched for room from then on: most never are, and so spare the
  // event that epoll would begin with. Its `writable` is false afterwards.
  bool watch_writable(Connection& connection, End end);
  bool watched_or_ended(Connection& connection, int error);
  void arm(Connection& connection, uint64_t deadline_ms) { wheel_.arm(slab_, connection.index, deadline_ms); }
  // Deadlines are kept as the clock's low 32 bits: right while they are less than 24 days away.
  uint64_t widened(uint32_t low) const {
    return now_ms_ + static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(low - now32())));
  }
  uint32_t now32() const { return static_cast<uint32_t>(now_ms_); }

  // ---- accepting.cc
  void add_socket(const wire::SocketCommand& command);
  void remove_socket(uint32_t bind);
  void close_all_sockets();
  void close_socket(ListeningSocket& listening);
  // False where accepting has to pause.
  bool accept_from(ListeningSocket& listening, size_t count_max);
  void welcome(const ListeningSocket& listening, int fd, const Address& source);
  bool may_accept();
  void pause_accepting();
  void resume_accepting();

  // ---- greeting.cc
  void read_hello(Connection& connection);
  void ask(Connection& connection);
  bool try_ask(Connection& connection);
  void more_bytes(Connection& connection);
  void wait_verdict(Connection& connection, const wire::WaitCommand& command);
  void first_verdict(Connection& connection, const wire::Header& header, uint32_t skipped_bytes);
  void client_event_while_deciding(Connection& connection, uint32_t events);

  // ---- dialling.cc
  void connect_verdict(Connection& connection, const wire::ConnectCommand& command, const uint8_t* prefix);
  void dial(Connection& connection, const wire::ConnectCommand& command);
  void dial_event(Connection& connection, uint32_t events);
  void dial_failed(Connection& connection, ConnectFailure failure);
  // Sends prefix and hello; on to relaying once the socket takes bytes.
  void greet_server(Connection& connection);
  void start_relaying(Connection& connection);

  // ---- relaying.cc; functions that answer bool say whether the connection still lives
  void relay_event(Connection& connection, End end, uint32_t events);
  bool relay(Connection& connection, End from);
  bool relay_chunk(Connection& connection, End from, bool* go_on);
  bool keep_for_later(Connection& connection, End from, const uint8_t* bytes, size_t size);
  bool flush(Connection& connection, End to);
  bool stream_ended(Connection& connection, End from);
  bool write_failed(Connection& connection, End to);
  // ---- splicing.cc
  bool may_splice(Connection& connection, End from);
  bool splice_chunk(Connection& connection, End from, bool* go_on);

  void tap(Connection& connection, const uint8_t* bytes, size_t size);
  void relay_timer(Connection& connection);
  uint64_t relay_deadline(Connection& connection, CloseReason* reason);
  void arm_relay(Connection& connection);
  static void watch_peer(const Side& side);
  static void bound_receive(Side& side);
  static void bound_unsent(Side& side);

  // ---- rejecting.cc
  void reject_verdict(Connection& connection, const wire::RejectCommand& command, const uint8_t* alert);
  void drain_rejected(Connection& connection);

  // ---- ending.cc
  enum class Manner : uint8_t { kOrderly, kAbortive };
  void end(Connection& connection, uint8_t reason, Manner client, Manner server);
  void end(Connection& connection, CloseReason reason, Manner manner) {
    end(connection, static_cast<uint8_t>(reason), manner, manner);
  }
  void end_reset_by(Connection& connection, End end);
  void end_all(uint8_t reason);
  bool try_report_end(Connection& connection);
  void fault(wire::FaultPlace place, int error);
  void note(const wire::Header& header, int32_t error);
  void settle_reports();
  void wake_javascript();
  wire::Header header_for(const Connection& connection, wire::ReportKind kind, size_t size) const;
  // Writes a record of a fixed part and `size` bytes behind it. False where the ring is full.
  template <typename Report>
  bool report(Report record, const uint8_t* bytes = nullptr, size_t size = 0);

  Shared& shared_;
  const uint32_t number_;
  pthread_t thread_{};
  bool stopping_ = false;
  bool draining_ = false;
  bool drained_told_ = false;

  Descriptor epoll_;
  Mailbox mailbox_;
  std::vector<uint8_t> mail_;
  ReportRing reports_;
  Counters counters_;
  // Empty between two calls, so that one pipe serves all connections.
  Descriptor pipe_read_;
  Descriptor pipe_write_;
  std::unique_ptr<uint8_t[]> copy_;  // limits::kCopyBufferBytes, used within one call and never across two
  std::unique_ptr<epoll_event[]> events_;

  uint64_t now_ms_ = 0;
  Slab slab_;
  TimerWheel wheel_;
  std::vector<ListeningSocket> listening_;
  uint64_t accept_paused_until_ms_ = 0;  // 0: not paused
  std::vector<Name> ready_;              // connections that used up their turn
  std::vector<Name> ready_now_;
  std::deque<Name> waiting_;             // connections in Life::kWaiting, oldest first; may name ended ones
  std::deque<uint32_t> unreported_;      // connections in Life::kEnded whose report found no room
  std::deque<wire::FaultReport> notes_;  // other reports that found no room
  std::atomic<bool> starved_{false};     // something of the above waits for the reader
  bool wake_now_ = false;
  uint64_t lazy_wake_at_ms_ = 0;  // 0: nothing to tell
};

}  // namespace switchyard

#endif  // SWITCHYARD_ENGINE_THREAD_H_
