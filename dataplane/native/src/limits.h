#ifndef SWITCHYARD_LIMITS_H_
#define SWITCHYARD_LIMITS_H_

#include <cstddef>
#include <cstdint>

// Every limit of the engine is a number with a name; past it there is a reason, a counter, or a pause.
namespace switchyard::limits {

inline constexpr uint32_t kThreadsMax = 64;
inline constexpr uint32_t kListenersMax = 4096;
// The port allows no more (resources.proto). Split into records of one byte it takes six times as much.
inline constexpr uint32_t kHelloBytesMax = 64 * 1024;
// Seven days. Times are compared as 32 bits of milliseconds, which is right up to 24 days.
inline constexpr uint32_t kTimeoutMaxMs = 7 * 24 * 3600 * 1000u;
// Connections of all threads together, live or with an end that JavaScript has not heard of yet.
inline constexpr uint32_t kSlotsMax = 1u << 21;

// Per wake-up, so that no source of work starves the others.
inline constexpr int kEventsPerTurn = 512;
inline constexpr int kAcceptsPerTurn = 64;
inline constexpr size_t kRelayBytesPerTurn = 1u << 20;

// The thread's copy buffer: what one recv may take. 256 KiB moved 2.8 times what HAProxy's 16 KiB move.
inline constexpr size_t kCopyBufferBytes = 256 * 1024;
// A direction whose reads are this large is moved by splice(2) through the thread's pipe, which took 0.7 of the CPU time
// of copying; one whose reads have become small is copied again, as splice needs a call more for each.
inline constexpr size_t kLargeReadBytes = 64 * 1024;
inline constexpr size_t kSpliceUntilBytes = 16 * 1024;
inline constexpr size_t kPipeBytes = 1024 * 1024;
// What one recv takes of a hello; more than one full record, so that one call suffices.
inline constexpr size_t kHelloReadBytes = 20 * 1024;
// What a rejected client may still send before its alert, and how long it may take to read it.
inline constexpr size_t kRejectDrainBytes = 256 * 1024;
inline constexpr uint32_t kRejectDrainMs = 2000;

// Reports to JavaScript, per thread; power of two. A report may take half of it.
inline constexpr size_t kReportRingBytes = 1u << 20;
// Past it an empty ring begins again from its start.
inline constexpr size_t kReportRingHotBytes = 64 * 1024;
// Tapped server bytes give way to all else: they are dropped when less than this is free.
inline constexpr size_t kTapHeadroomBytes = kReportRingBytes / 2;
// Ends that JavaScript has not heard of, per thread, before accepting pauses.
inline constexpr size_t kUnreportedMax = 16 * 1024;
// How long an end or tapped bytes may wait for company before JavaScript is woken for them alone.
inline constexpr uint32_t kLazyWakeMs = 4;
// A PROXY header with its TLVs; PROXY protocol v2 says that 536 bytes must always pass in one piece.
inline constexpr uint32_t kPrefixBytesMax = 4096;
// Commands of JavaScript, per thread; past it JavaScript waits for the engine's next turn.
inline constexpr size_t kMailboxBytes = 4u << 20;

// Faults that wait for room in the report ring; more are forgotten.
inline constexpr size_t kFaultsWaitingMax = 64;

inline constexpr uint32_t kAcceptPauseMs = 100;
inline constexpr int kListenBacklog = 4096;
// A client that connects and says nothing is shown to us by TCP_DEFER_ACCEPT only after a second, which would lengthen
// a short hello deadline: below this deadline the option stays off.
inline constexpr uint32_t kDeferAcceptDeadlineMs = 3000;
inline constexpr uint32_t kDeferAcceptSeconds = 1;
inline constexpr size_t kAcceptsOnRemoval = 8192;

// What is held for a reader that has stopped: unsent bytes on its socket (64 KiB and one segment), received ones on the
// other (the kernel counts twice what it is given, for its own overhead), and what one recv took of these. Left alone the
// kernel lets it grow to 5 MiB from the start, and to 16 after a fast download. A receive buffer is fixed once a read was
// large, as those of a near sender are, which could fill a megabyte before we see that its reader is slow; or once its
// reader was slow. A sender far away, with a reader that keeps up, has what window the kernel finds right.
inline constexpr uint32_t kNotsentBytes = 64 * 1024;
inline constexpr uint32_t kReceiveBufferBytes = 96 * 1024;
// A server's socket, which inherits nothing, gets its limit of unsent bytes once this many have gone to it.
inline constexpr uint64_t kBulkBytes = 16 * 1024;
// Without TCP_NODELAY the kernel sends a first flight at once if it fits one segment of the smallest usual size.
inline constexpr size_t kFirstSegmentBytes = 536;

// A connection that has been silent so long is watched for a dead peer.
inline constexpr uint32_t kWatchPeerAfterMs = 30'000;
inline constexpr uint32_t kKeepaliveAfterS = 60;
inline constexpr uint32_t kKeepaliveIntervalS = 20;
inline constexpr uint32_t kKeepaliveProbes = 4;
inline constexpr uint32_t kUserTimeoutMaxMs = 15 * 60'000;

}  // namespace switchyard::limits

#endif  // SWITCHYARD_LIMITS_H_
