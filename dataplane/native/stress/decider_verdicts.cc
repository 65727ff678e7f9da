#include "decider.h"

#include <cstdint>

#include "../src/wire.h"

// What the decider tells the engine: verdicts as records, which `submit` hands over.

namespace stress {

namespace wire = switchyard::wire;

namespace {

// Only the decider gives it.
constexpr uint8_t kRejectedReason = 100;

}  // namespace

void Decider::more_bytes(const wire::Header& to) {
  wire::Header more = to;
  more.size = sizeof more;
  more.kind = static_cast<uint8_t>(wire::CommandKind::kMoreBytes);
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&more);
  verdicts_.insert(verdicts_.end(), bytes, bytes + sizeof more);
}

void Decider::wait_for(const wire::Header& to, size_t skipped, const switchyard::Address& server) {
  wire::WaitCommand command = {};
  command.header = to;
  command.header.size = sizeof command;
  command.header.kind = static_cast<uint8_t>(wire::CommandKind::kWait);
  command.header.listener = 0;
  command.skipped_bytes = static_cast<uint32_t>(skipped);
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&command);
  verdicts_.insert(verdicts_.end(), bytes, bytes + sizeof command);
  waits_.push_back({to, server});
  told_to_wait_ += 1;
}

void Decider::connect(const wire::Header& to, size_t skipped, const switchyard::Address& address) {
  wire::ConnectCommand command = {};
  command.header = to;
  command.header.size = sizeof command;
  command.header.kind = static_cast<uint8_t>(wire::CommandKind::kConnect);
  // Its FIN may come before the server has answered, and must be passed on.
  command.header.listener = 0;
  command.connect_timeout_ms = 30'000;
  command.server_idle_timeout_ms = 50'000;
  command.half_close_timeout_ms = 50'000;
  command.tap_bytes_max = static_cast<uint32_t>(random_.below(3000));
  command.address = address;
  command.skipped_bytes = static_cast<uint32_t>(skipped);
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&command);
  verdicts_.insert(verdicts_.end(), bytes, bytes + sizeof command);
}

void Decider::reject(const wire::Header& to) {
  struct {
    wire::RejectCommand command;
    uint8_t alert[8];
  } record = {{}, {21, 3, 3, 0, 2, 2, 49, 0}};
  record.command.header = to;
  record.command.header.size = sizeof record;
  record.command.header.kind = static_cast<uint8_t>(wire::CommandKind::kReject);
  record.command.header.code = kRejectedReason;
  record.command.header.listener = 1;
  record.command.alert_bytes = 7;
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&record);
  verdicts_.insert(verdicts_.end(), bytes, bytes + sizeof record);
}

}  // namespace stress
