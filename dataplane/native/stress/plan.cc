#include "plan.h"

#include <string.h>

#include <algorithm>

namespace stress {

Plan Plan::of(uint64_t run_seed, uint64_t number) {
  Random random(Random::mix(run_seed) ^ Random::mix(number + 1));
  Plan plan;
  plan.seed = random.next();
  const uint64_t draw = random.below(20);
  plan.fate = draw < 11   ? Fate::kOrderly
              : draw == 11 ? Fate::kRejected
              : draw == 12 ? Fate::kAborted
              : draw == 13 ? Fate::kHelloStops
              : draw == 14 ? Fate::kHelloResets
              : draw == 15 ? Fate::kServerGone
              : draw < 18  ? Fate::kClientResets
                           : Fate::kServerResets;
  plan.client_bytes = random.skewed(2 << 20);
  plan.server_bytes = random.skewed(2 << 20);
  if (random.one_in(40)) (random.one_in(2) ? plan.client_bytes : plan.server_bytes) = 8 << 20;
  plan.socket_buffer = random.one_in(4) ? static_cast<uint32_t>(2048 + random.below(16384)) : 0;
  plan.stalls = random.one_in(6);
  if (plan.socket_buffer > 0 || plan.stalls) {
    // A window of 2 KiB moves some 50 KB a second, delayed acknowledgements and all.
    plan.client_bytes %= 200'000;
    plan.server_bytes %= 200'000;
  }
  plan.reset_at = random.below(1 + (plan.fate == Fate::kServerResets ? plan.server_bytes : plan.client_bytes));
  plan.hello_padding = static_cast<uint32_t>(random.one_in(8) ? random.below(15000) : random.below(600));
  plan.one_byte_records = random.one_in(12);
  if (plan.one_byte_records) plan.hello_padding %= 500;
  plan.proxy_version = random.one_in(3) ? static_cast<uint8_t>(1 + random.below(2)) : 0;
  return plan;
}

void fill_pattern(uint64_t seed, uint64_t offset, uint8_t* into, size_t size) {
  for (size_t at = 0; at < size;) {
    const uint64_t word = Random::mix(seed + ((offset + at) >> 3));
    const size_t shift = (offset + at) & 7;
    const size_t count = std::min(size - at, 8 - shift);
    memcpy(into + at, reinterpret_cast<const uint8_t*>(&word) + shift, count);
    at += count;
  }
}

bool matches_pattern(uint64_t seed, uint64_t offset, const uint8_t* bytes, size_t size) {
  uint8_t wanted[4096];
  for (size_t at = 0; at < size;) {
    const size_t count = std::min(size - at, sizeof wanted);
    fill_pattern(seed, offset + at, wanted, count);
    if (memcmp(wanted, bytes + at, count) != 0) return false;
    at += count;
  }
  return true;
}

std::vector<uint8_t> make_proxy_header(const Plan& plan) {
  if (plan.proxy_version == 0) return {};
  if (plan.proxy_version == 1) {
    const char line[] = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
    return {line, line + sizeof line - 1};
  }
  const uint32_t length = static_cast<uint32_t>(plan.seed % 700);
  std::vector<uint8_t> block = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n', 0x20, 0};
  block.push_back(static_cast<uint8_t>(length >> 8));
  block.push_back(static_cast<uint8_t>(length));
  block.resize(block.size() + length, 0x16);
  return block;
}

bool read_proxy_header(const uint8_t* bytes, size_t size, size_t* length) {
  *length = 0;
  if (bytes[0] == 'P') {
    const void* end = memchr(bytes, '\n', size);
    if (end == nullptr) return false;
    *length = static_cast<size_t>(static_cast<const uint8_t*>(end) + 1 - bytes);
  } else if (bytes[0] == '\r') {
    if (size < 16) return false;
    *length = 16 + (static_cast<size_t>(bytes[14]) << 8 | bytes[15]);
  }
  return *length <= size;
}

std::vector<uint8_t> make_hello(const Plan& plan, uint64_t number) {
  std::vector<uint8_t> message(12 + plan.hello_padding);
  const uint32_t length = static_cast<uint32_t>(message.size()) - 4;
  message[0] = 1;
  message[1] = static_cast<uint8_t>(length >> 16);
  message[2] = static_cast<uint8_t>(length >> 8);
  message[3] = static_cast<uint8_t>(length);
  memcpy(&message[4], &number, sizeof number);
  std::vector<uint8_t> records;
  const size_t fragment_max = plan.one_byte_records ? 1 : 16384;
  for (size_t at = 0; at < message.size();) {
    const size_t fragment = std::min(message.size() - at, fragment_max);
    const uint8_t header[] = {22, 3, 1, static_cast<uint8_t>(fragment >> 8), static_cast<uint8_t>(fragment)};
    records.insert(records.end(), header, header + sizeof header);
    records.insert(records.end(), message.begin() + static_cast<ptrdiff_t>(at),
                   message.begin() + static_cast<ptrdiff_t>(at + fragment));
    at += fragment;
  }
  return records;
}

bool read_hello(const uint8_t* bytes, size_t size, uint64_t* number, size_t* length) {
  std::vector<uint8_t> message;
  for (size_t at = 0; at + 5 <= size;) {
    const size_t fragment = static_cast<size_t>(bytes[at + 3]) << 8 | bytes[at + 4];
    if (at + 5 + fragment > size) return false;
    message.insert(message.end(), bytes + at + 5, bytes + at + 5 + fragment);
    at += 5 + fragment;
    if (message.size() < 12) continue;
    const size_t whole = 4 + (static_cast<size_t>(message[1]) << 16 | static_cast<size_t>(message[2]) << 8 | message[3]);
    if (message.size() < whole) continue;
    memcpy(number, &message[4], sizeof *number);
    *length = at;
    return true;
  }
  return false;
}

}  // namespace stress
