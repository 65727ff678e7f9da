#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace load {

using Bytes = std::vector<std::uint8_t>;

// What the sink does after the hello; it stands in the ClientHello's random, behind a magic, so that one sink on one
// port serves every mode and the proxy between sees nothing but TLS.
enum class StreamMode : std::uint8_t {
  reply = 'R',       // answer, wait for the end
  echo = 'E',        // answer, then send back what comes
  bulkUp = 'U',      // answer, then read as fast as it comes
  bulkDown = 'D',    // answer, then send as fast as it goes, until the client ends its stream
  bulkBoth = 'B',    // both at once
  verifyBoth = 'V',  // both at once, every byte compared with the payload
};

// Offsets into a TLS record that holds a hello (RFC 8446 section 4.1.2): 5 bytes of record header, 4 of handshake
// header, 2 of version, 32 of random.
inline constexpr std::size_t recordHeaderBytes = 5;
inline constexpr std::size_t randomOffset = 11;
inline constexpr std::size_t sessionIdLengthOffset = 43;
inline constexpr std::size_t sessionIdOffset = 44;
inline constexpr std::size_t sessionIdBytes = 32;

// An OpenSSL client's first flight is 517 bytes: it pads what falls between 256 and 511 (RFC 7685).
inline constexpr std::size_t helloBytesDefault = 517;

// One segment's worth of a server's first flight.
inline constexpr std::size_t flightBytesDefault = 1400;

// A ClientHello in one record of `totalBytes` bytes (padded; more where the name needs it), with SNI, ALPN, TLS 1.3
// and 1.2 offered, and a session id of 32 bytes.
Bytes makeClientHello(std::string_view serverName, StreamMode mode, std::size_t totalBytes);

// Writes the session id into a hello made above: different for each `number`.
void setSessionId(Bytes& hello, std::uint64_t number);

// A server's first flight under TLS 1.2, `totalBytes` in all: ServerHello, Certificate (filler), ServerHelloDone. The
// session id at `sessionIdOffset` is for the sender to fill in.
Bytes makeServerFlight(std::size_t totalBytes);

// Length of the first record with its header, or 0 while the header is incomplete.
std::size_t recordLength(const std::uint8_t* bytes, std::size_t count);

// The mode in a complete hello; false where the hello is not one of ours.
bool readMode(const std::uint8_t* hello, std::size_t count, StreamMode& mode);

// Whether `reply` is the beginning of the flight that answers `hello`, with its session id sent back.
bool answers(const Bytes& hello, const std::uint8_t* reply, std::size_t count);

}  // namespace load
