#include "units.h"

#include <string.h>

#include <algorithm>
#include <map>
#include <vector>

#include "../src/block.h"
#include "../src/hello_framing.h"
#include "../src/life.h"
#include "../src/limits.h"
#include "../src/record_walk.h"
#include "../src/report_ring.h"
#include "../src/timer_wheel.h"
#include "../src/wire.h"
#include "plan.h"

namespace stress {
namespace {

using switchyard::HelloFraming;

constexpr uint32_t kHelloBytesMax = 16'384;

// The first length at which the framing is ready, shown in pieces; SIZE_MAX for never. Each piece is a copy of its own,
// so that a sanitizer sees a read past its end.
size_t ready_at(const std::vector<uint8_t>& stream, Random* random, bool byte_by_byte) {
  HelloFraming framing;
  for (size_t shown = 0; shown < stream.size();) {
    shown += byte_by_byte ? 1 : 1 + random->below(stream.size() - shown);
    const std::vector<uint8_t> seen(stream.begin(), stream.begin() + static_cast<ptrdiff_t>(shown));
    if (framing.ready(seen.data(), seen.size(), kHelloBytesMax)) return shown;
  }
  return SIZE_MAX;
}

std::string check_framing(Random* random) {
  for (uint64_t number = 0; number < 1500; number += 1) {
    Plan plan = Plan::of(random->next(), number);
    plan.hello_padding %= 800;
    std::vector<uint8_t> hello = make_hello(plan, number);
    const size_t whole = hello.size();
    if (ready_at(hello, random, true) != whole) return "a hello is ready at another byte than its last";
    hello.insert(hello.end(), 100, 0x17);
    if (ready_at(hello, random, true) != whole) return "bytes behind a hello delay it";
    // Damaged: what matters is that cuts make no difference, and that nothing outside is read.
    hello[random->below(random->one_in(2) ? 9 : hello.size())] = static_cast<uint8_t>(random->next());
    const size_t first = ready_at(hello, random, true);
    const size_t second = ready_at(hello, random, false);
    if ((first == SIZE_MAX) != (second == SIZE_MAX) || (first != SIZE_MAX && second < first))
      return "the framing depends on how the stream was cut";
  }
  return "";
}

// A header in front of a hello is asked about once it is whole, and what comes behind it as if it were not there.
std::string check_proxy_framing(Random* random) {
  for (uint64_t number = 0; number < 500; number += 1) {
    Plan plan = Plan::of(random->next(), number);
    plan.hello_padding %= 300;
    plan.proxy_version = static_cast<uint8_t>(1 + number % 2);
    std::vector<uint8_t> stream = make_proxy_header(plan);
    const size_t header = stream.size();
    const std::vector<uint8_t> hello = make_hello(plan, number);
    stream.insert(stream.end(), hello.begin(), hello.end());
    HelloFraming framing;
    bool asked_at_end = false;
    for (size_t shown = 1; shown <= stream.size(); shown += 1) {
      const std::vector<uint8_t> seen(stream.begin(), stream.begin() + static_cast<ptrdiff_t>(shown));
      const bool asked = framing.ready(seen.data(), seen.size(), kHelloBytesMax);
      if (shown == header) asked_at_end = asked;
      if (asked && shown != 16 && shown != header && shown != stream.size()) return "asked amid a header or a hello";
      if (shown == stream.size() && !asked) return "a hello behind a header is never ready";
    }
    if (!asked_at_end) return "a header that is whole is not asked about";
    stream[random->below(header)] = static_cast<uint8_t>(random->next());
    if (ready_at(stream, random, false) == SIZE_MAX && ready_at(stream, random, true) != SIZE_MAX)
      return "the framing of a damaged header depends on how the stream was cut";
  }
  return "";
}

// What is in clear does not depend on the cuts, and ends with the byte that ends it.
std::string check_record_walk(Random* random) {
  for (int round = 0; round < 3000; round += 1) {
    std::vector<uint8_t> stream;
    for (uint64_t records = random->below(5); records > 0; records -= 1) {
      const size_t length = random->below(random->one_in(3) ? 3 : 600);
      const uint8_t types[] = {20, 21, 22, 24};
      stream.insert(stream.end(), {types[random->below(4)], 3, 3, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)});
      stream.resize(stream.size() + length, 23);
    }
    const size_t clear = stream.size() + 1;
    stream.insert(stream.end(), {static_cast<uint8_t>(random->one_in(2) ? 23 : 'S'), 3, 3, 0, 2, 22, 22});
    switchyard::RecordWalk walk;
    size_t shown = 0;
    for (size_t at = 0; at < stream.size();) {
      const std::vector<uint8_t> piece(stream.begin() + static_cast<ptrdiff_t>(at),
                                       stream.begin() + static_cast<ptrdiff_t>(at + 1 + random->below(stream.size() - at)));
      shown += walk.in_clear(piece.data(), piece.size());
      at += piece.size();
    }
    if (shown != clear || !walk.over()) return "a walk over records ends at another byte";
  }
  return "";
}

struct Nodes {
  std::vector<switchyard::TimerNode> nodes;
  switchyard::TimerNode& timer(uint32_t index) { return nodes[index]; }
};

std::string check_timers(Random* random) {
  Nodes nodes{std::vector<switchyard::TimerNode>(300)};
  switchyard::TimerWheel wheel;
  std::map<uint32_t, uint64_t> deadlines;
  uint64_t now = 1'000'000 + random->below(1'000'000);
  wheel.start(now);
  std::string failure;
  for (int step = 0; step < 20'000 && failure.empty(); step += 1) {
    const uint32_t index = static_cast<uint32_t>(random->below(nodes.nodes.size()));
    if (random->one_in(4)) {
      wheel.disarm(nodes, index);
      deadlines.erase(index);
    } else if (random->one_in(2)) {
      const uint64_t deadline = now + random->skewed(random->one_in(10) ? 300'000 : 3000);
      wheel.arm(nodes, index, deadline);
      deadlines[index] = deadline;
    }
    now += random->skewed(random->one_in(50) ? 90'000 : 60);
    wheel.turn(nodes, now, [&](uint32_t due) {
      const auto armed = deadlines.find(due);
      if (armed == deadlines.end()) failure = "a timer that was disarmed is due";
      // Far deadlines come round early, to be looked at and armed again.
      else if (armed->second > now) wheel.arm(nodes, due, armed->second);
      else deadlines.erase(armed);
    });
    for (const auto& [armed, deadline] : deadlines)
      if (deadline + 16 < now) failure = "a timer is late";
    if (wheel.armed() != deadlines.size()) failure = "timers were lost";
    if (!deadlines.empty() && wheel.next_ms() + 0 > 16 + std::max(now, std::min_element(deadlines.begin(), deadlines.end(),
        [](const auto& left, const auto& right) { return left.second < right.second; })->second))
      failure = "the loop would sleep past a timer";
  }
  return failure;
}

std::string check_ring(Random* random, size_t capacity) {
  switchyard::ReportRing ring(capacity);
  std::vector<uint8_t> drained(4096);
  uint64_t written = 0;
  uint64_t read = 0;
  for (int step = 0; step < 100'000; step += 1) {
    if (random->one_in(2)) {
      const uint32_t size = 24 + 8 * static_cast<uint32_t>(random->below(240));
      uint8_t* into = ring.reserve(size);
      if (into == nullptr) continue;
      memset(into, static_cast<int>(written & 0xff), size);
      const switchyard::wire::Header header = {size, 4, 0, 0, static_cast<uint32_t>(written), 0};
      memcpy(into, &header, sizeof header);
      ring.commit(size);
      written += 1;
    } else {
      const size_t length = ring.drain(drained.data(), 1 + random->below(drained.size()));
      for (size_t at = 0; at < length;) {
        switchyard::wire::Header header;
        memcpy(&header, drained.data() + at, sizeof header);
        if (header.slot != static_cast<uint32_t>(read)) return "a record is out of order";
        if (drained[at + header.size - 1] != (read & 0xff)) return "a record is damaged";
        read += 1;
        at += header.size;
      }
    }
  }
  while (ring.drain(drained.data(), drained.size()) > 0) read = written;
  return ring.empty() ? "" : "a drained ring is not empty";
}

// A reader that keeps up sees the ring's first pages only.
std::string check_hot_ring(Random* random) {
  switchyard::ReportRing ring(4 * switchyard::limits::kReportRingHotBytes);
  std::vector<uint8_t> drained(4096);
  const uint8_t* first = nullptr;
  for (int step = 0; step < 10'000; step += 1) {
    const uint32_t size = 24 + 8 * static_cast<uint32_t>(random->below(240));
    uint8_t* into = ring.reserve(size);
    if (into == nullptr) return "an empty ring has no room";
    if (first == nullptr) first = into;
    if (into >= first + switchyard::limits::kReportRingHotBytes) return "an empty ring went on to pages that it needs not";
    const switchyard::wire::Header header = {size, 4, 0, 0, 0, 0};
    memcpy(into, &header, sizeof header);
    ring.commit(size);
    if (ring.drain(drained.data(), drained.size()) != size) return "a record was not drained";
  }
  return "";
}

std::string check_block(Random* random) {
  for (int round = 0; round < 200; round += 1) {
    switchyard::Block block;
    std::vector<uint8_t> wanted;
    for (int step = 0; step < 100; step += 1) {
      std::vector<uint8_t> piece(random->below(300));
      for (uint8_t& byte : piece) byte = static_cast<uint8_t>(random->next());
      if (!block.append(piece.data(), piece.size())) return "no memory";
      wanted.insert(wanted.end(), piece.begin(), piece.end());
      const size_t gone = random->below(wanted.size() + 1);
      block.consume(gone);
      wanted.erase(wanted.begin(), wanted.begin() + static_cast<ptrdiff_t>(gone));
      if (block.size() != wanted.size() || block.empty() != wanted.empty()) return "a block has another size";
      if (!wanted.empty() && memcmp(block.data(), wanted.data(), wanted.size()) != 0) return "a block has other bytes";
    }
  }
  return "";
}

std::string check_life() {
  using switchyard::Life;
  const Life ended = Life::kEnded;
  for (int from = 0; from <= static_cast<int>(ended); from += 1) {
    const Life life = static_cast<Life>(from);
    const bool live = life != Life::kFree && life != ended;
    if (switchyard::may_become(life, ended) != live) return "a live connection can't end, or one that is not can";
    if (switchyard::may_become(life, Life::kFree) != (life == ended)) return "only what has ended is freed";
    if (switchyard::may_become(life, life)) return "nothing becomes what it is";
  }
  if (switchyard::may_become(Life::kHello, Life::kRelaying)) return "bytes flow without a verdict";
  return "";
}

}  // namespace

std::string check_units(uint64_t seed) {
  Random random(seed);
  for (const std::string& failure :
       {check_framing(&random), check_proxy_framing(&random), check_record_walk(&random), check_timers(&random), check_ring(&random, 4096),
        check_ring(&random, 4 * switchyard::limits::kReportRingHotBytes), check_hot_ring(&random), check_block(&random),
        check_life()})
    if (!failure.empty()) return failure;
  return "";
}

}  // namespace stress
