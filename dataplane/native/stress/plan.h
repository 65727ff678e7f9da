#ifndef SWITCHYARD_STRESS_PLAN_H_
#define SWITCHYARD_STRESS_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stress {

// A small generator with a state that can be printed (splitmix64, Steele et al. 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ull;
    return mix(state_);
  }
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  // Small numbers often, large ones now and then.
  uint64_t skewed(uint64_t bound) { return below(1 + below(1 + below(bound))); }

  static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ value >> 27) * 0x94d049bb133111ebull;
    return value ^ value >> 31;
  }

 private:
  uint64_t state_;
};

enum class Fate : uint8_t {
  kOrderly,        // both send all that they have and a FIN; every byte must arrive
  kClientResets,
  kServerResets,
  kRejected,       // the decider refuses it; the client must read the alert
  kAborted,        // the decider aborts it some time
  kHelloStops,     // the hello is never complete
  kHelloResets,    // the client resets amid its hello
  kServerGone,     // the first server refuses; another takes it
};

// All that happens to one connection, from its number and the run's seed alone, so that both ends and the decider know
// it without talking.
struct Plan {
  uint64_t seed;
  Fate fate;
  uint64_t client_bytes;  // behind the hello
  uint64_t server_bytes;
  uint64_t reset_at;      // for resets: after so many bytes written
  uint32_t socket_buffer; // of the peers, 0 for the system's
  bool stalls;            // reads with long pauses
  uint32_t hello_padding;
  bool one_byte_records;
  uint8_t proxy_version;  // of the PROXY header in front of the hello; 0 for none

  static Plan of(uint64_t run_seed, uint64_t number);
};

// The byte at an offset of a stream; `seed` differs between the directions.
inline uint8_t pattern(uint64_t seed, uint64_t offset) {
  return static_cast<uint8_t>(Random::mix(seed + (offset >> 3)) >> (8 * (offset & 7)));
}
void fill_pattern(uint64_t seed, uint64_t offset, uint8_t* into, size_t size);
bool matches_pattern(uint64_t seed, uint64_t offset, const uint8_t* bytes, size_t size);

// A PROXY header as a balancer sends it; empty where there is none. Its values say nothing.
std::vector<uint8_t> make_proxy_header(const Plan& plan);
// Its length in a stream, 0 where none begins here. False while it is not whole.
bool read_proxy_header(const uint8_t* bytes, size_t size, size_t* length);

// A record-framed message that is a ClientHello by its framing only, and names its connection.
std::vector<uint8_t> make_hello(const Plan& plan, uint64_t number);
// The number in such a hello.
bool read_hello(const uint8_t* bytes, size_t size, uint64_t* number, size_t* length);

}  // namespace stress

#endif  // SWITCHYARD_STRESS_PLAN_H_
