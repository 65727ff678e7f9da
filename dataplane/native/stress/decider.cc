#include "decider.h"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "../src/reason.h"
#include "../src/syscalls.h"
#include "../src/wire.h"

namespace stress {

namespace wire = switchyard::wire;

namespace {

// A reason that only the decider gives.
constexpr uint8_t kAbortedReason = 101;
constexpr size_t kListenersMax = 6;
// Past all pauses of this program on a slow machine under a sanitizer.
constexpr uint32_t kHelloDeadlineMs = 8'000;

uint64_t name_of(const wire::Header& header) { return static_cast<uint64_t>(header.generation) << 32 | header.slot; }

}  // namespace

Decider::Decider(const Options& options, Peers* peers)
    : options_(options), peers_(peers), random_(options.seed ^ 0xdec1de), batch_(1 << 20) {}

bool Decider::start() {
  switchyard::Core::Options options;
  options.threads = options_.threads;
  options.descriptors_reserved = 64;
  int error = 0;
  core_ = switchyard::Core::start(options, &Decider::wake, this, &error);
  if (core_ == nullptr) {
    fail(std::string("the engine does not start: ") + strerror(error));
    return false;
  }
  // A port that was bound once, and is closed now, refuses.
  switchyard::Address loopback;
  loopback.family = 4;
  loopback.ip[0] = 127;
  loopback.ip[3] = 1;
  const switchyard::Descriptor gone(switchyard::sys::bind_listener(loopback, false).fd);
  switchyard::sys::local_address(gone.get(), &refusing_);
  bind(0);
  publish_targets();
  return failure_.empty();
}

// The engine's threads wake this object until they are stopped.
Decider::~Decider() { core_.reset(); }

void Decider::wake(void* self) {
  Decider* decider = static_cast<Decider*>(self);
  {
    const std::lock_guard lock(decider->mutex_);
    decider->wake_pending_ = true;
  }
  decider->woken_.notify_one();
}

bool Decider::wait(uint32_t for_ms) {
  std::unique_lock lock(mutex_);
  if (!wake_pending_) woken_.wait_for(lock, std::chrono::milliseconds(for_ms));
  const bool woken = wake_pending_;
  wake_pending_ = false;
  return woken;
}

void Decider::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    if (wait(20)) read_reports();
    answer_some();
    if (random_.one_in(50)) move_listeners();
    if (random_.one_in(300)) usleep(static_cast<useconds_t>(1000 * random_.below(400)));
    if (!failure_.empty()) {
      peers_->stop();
      break;
    }
  }
}

void Decider::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
}

void Decider::finish() {
  if (core_ == nullptr) return;
  core_->drain_connections();
  core_->end_all(static_cast<uint8_t>(switchyard::CloseReason::kShutdown));
  for (int tries = 0; drained_ < options_.threads && tries < 500; tries += 1) {
    wait(20);
    read_reports();
  }
  const switchyard::Stats stats = core_->stats();
  queue_waits_ = stats.queue_waits;
  if (drained_ < options_.threads) fail("a thread did not drain");
  if (stats.connections != 0 || stats.hellos_pending != 0) fail("connections are counted after the end");
  if (stats.accepted != closed_)
    fail(std::to_string(stats.accepted) + " accepted, " + std::to_string(closed_) + " closed");
  if (!asked_.empty()) fail("connections that were asked about have not ended");
  core_.reset();
}

void Decider::read_reports() {
  core_->begin_drain();
  for (;;) {
    const size_t length = core_->drain(batch_.data(), batch_.size());
    if (length == 0) return;
    for (size_t at = 0; at < length;) {
      wire::Header header;
      memcpy(&header, batch_.data() + at, sizeof header);
      read_report(batch_.data() + at);
      at += header.size;
    }
    submit();
    if (!aborts_.empty() && random_.one_in(4)) {
      for (const uint64_t name : aborts_)
        core_->abort_connection(static_cast<uint32_t>(name), static_cast<uint32_t>(name >> 32), kAbortedReason);
      aborts_.clear();
    }
  }
}

void Decider::submit() {
  if (verdicts_.empty()) return;
  if (!switchyard::Core::verdicts_valid(verdicts_.data(), verdicts_.size())) return fail("wrote bad verdicts");
  core_->submit(verdicts_.data(), verdicts_.size());
  verdicts_.clear();
}

void Decider::read_report(const uint8_t* record) {
  wire::Header header;
  memcpy(&header, record, sizeof header);
  switch (static_cast<wire::ReportKind>(header.kind)) {
    case wire::ReportKind::kHello:
      return decide(record);
    case wire::ReportKind::kRedecide:
      if (asked_.count(name_of(header)) == 0) return fail("asked again about an unknown connection");
      if (random_.one_in(3)) return wait_for(header, 0, peers_->server_address());
      return connect(header, 0, peers_->server_address());
    case wire::ReportKind::kClosed:
      closed_ += 1;
      reasons_[header.code] += 1;
      asked_.erase(name_of(header));
      if (header.code == static_cast<uint8_t>(switchyard::CloseReason::kInternal)) fail("a connection ended by a fault");
      return;
    case wire::ReportKind::kDrained:
      drained_ += 1;
      return;
    case wire::ReportKind::kFault:
      return fail("the engine reports a fault");
    case wire::ReportKind::kServerBytes:
    case wire::ReportKind::kUnbound:
      return;
    case wire::ReportKind::kFiller:
      return fail("a filler left the ring");
  }
}

void Decider::decide(const uint8_t* record) {
  wire::HelloReport report;
  memcpy(&report, record, sizeof report);
  const uint8_t* bytes = record + sizeof report;
  size_t skipped = 0;
  if (!read_proxy_header(bytes, report.bytes, &skipped)) return more_bytes(report.header);
  uint64_t number = 0;
  size_t length = 0;
  if (!read_hello(bytes + skipped, report.bytes - skipped, &number, &length)) {
    if (skipped > 0) return more_bytes(report.header);
    return fail("asked about a hello that is not complete");
  }
  if (!asked_.insert(name_of(report.header)).second) return fail("asked twice about one connection");
  decide_hello(report.header, skipped, Plan::of(options_.seed, number));
}

void Decider::decide_hello(const wire::Header& to, size_t skipped, const Plan& plan) {
  const switchyard::Address server = plan.fate == Fate::kServerGone ? refusing_ : peers_->server_address();
  switch (plan.fate) {
    case Fate::kHelloStops:
    case Fate::kHelloResets:
      return fail("asked about a hello that was cut");
    case Fate::kRejected:
      return random_.one_in(3) ? wait_for(to, skipped, switchyard::Address{}) : reject(to);
    case Fate::kAborted:
      aborts_.push_back(name_of(to));
      [[fallthrough]];
    case Fate::kServerGone:
    case Fate::kOrderly:
    case Fate::kClientResets:
    case Fate::kServerResets:
      return random_.one_in(3) ? wait_for(to, skipped, server) : connect(to, skipped, server);
  }
}

// Some of those that wait, and some that do no more: these answers must have no effect.
void Decider::answer_some() {
  std::vector<Wait> later;
  for (const Wait& wait : waits_) {
    if (!random_.one_in(3)) {
      later.push_back(wait);
    } else if (wait.server.family == 0) {
      reject(wait.header);
    } else {
      connect(wait.header, 0, wait.server);
    }
  }
  waits_.swap(later);
  submit();
}

// Adds or removes a listener; the first stays, so that there is always one.
void Decider::move_listeners() {
  if (binds_.size() > 1 && (binds_.size() == kListenersMax || random_.one_in(2))) {
    const size_t which = 1 + random_.below(binds_.size() - 1);
    const Bind gone = binds_[which];
    binds_.erase(binds_.begin() + static_cast<ptrdiff_t>(which));
    publish_targets();
    core_->unbind(gone.number);
  } else {
    bind(static_cast<uint16_t>(1 + random_.below(kListenersMax)));
    publish_targets();
  }
}

void Decider::bind(uint16_t listener) {
  core_->set_limits(listener, {16'384, kHelloDeadlineMs, 50'000, 100'000});
  switchyard::Address any;
  any.family = 4;
  any.ip[0] = 127;
  any.ip[3] = static_cast<uint8_t>(1 + listener);
  const switchyard::Core::Bound bound = core_->bind(listener, any, random_.one_in(2));
  if (bound.error != 0) return fail(std::string("bind: ") + strerror(bound.error));
  binds_.push_back({bound.bind, listener, bound.address});
}

void Decider::publish_targets() {
  std::vector<switchyard::Address> targets;
  for (const Bind& bound : binds_) targets.push_back(bound.address);
  peers_->set_targets(targets);
}

void Decider::fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

}  // namespace stress
