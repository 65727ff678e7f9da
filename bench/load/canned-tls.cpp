#include "canned-tls.h"

#include <cstring>

#include "fault.h"

namespace load {

namespace {

constexpr std::uint8_t magic[8] = {'s', 'y', '-', 'b', 'e', 'n', 'c', 'h'};
constexpr std::size_t modeOffset = randomOffset + sizeof magic;

void put8(Bytes& out, unsigned value) { out.push_back(static_cast<std::uint8_t>(value)); }
void put16(Bytes& out, std::size_t value) {
  put8(out, static_cast<unsigned>(value >> 8) & 0xff);
  put8(out, static_cast<unsigned>(value) & 0xff);
}
void put24(Bytes& out, std::size_t value) {
  put8(out, static_cast<unsigned>(value >> 16) & 0xff);
  put16(out, value & 0xffff);
}
void putText(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }
void putFiller(Bytes& out, std::size_t count, std::uint8_t seed) {
  for (std::size_t index = 0; index < count; index += 1) put8(out, static_cast<std::uint8_t>(seed + index * 7));
}

void putServerName(Bytes& out, std::string_view name) {
  put16(out, 0);
  put16(out, name.size() + 5);
  put16(out, name.size() + 3);
  put8(out, 0);
  put16(out, name.size());
  putText(out, name);
}

// The extensions that a client of today sends, as bytes; server_name and padding are added around them.
void putCommonExtensions(Bytes& out) {
  static constexpr std::uint8_t fixed[] = {
      0x00, 0x17, 0x00, 0x00,                                                  // extended_master_secret
      0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x1d, 0x00, 0x17,              // supported_groups
      0x00, 0x0b, 0x00, 0x02, 0x01, 0x00,                                      // ec_point_formats
      0x00, 0x23, 0x00, 0x00,                                                  // session_ticket, empty
      0x00, 0x10, 0x00, 0x0e, 0x00, 0x0c, 0x02, 'h',  '2',                     // ALPN: h2,
      0x08, 'h',  't',  't',  'p',  '/',  '1',  '.',  '1',                     //   http/1.1
      0x00, 0x0d, 0x00, 0x08, 0x00, 0x06, 0x04, 0x03, 0x08, 0x04, 0x04, 0x01,  // signature_algorithms
      0x00, 0x2b, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03,                    // supported_versions
      0x00, 0x2d, 0x00, 0x02, 0x01, 0x01,                                      // psk_key_exchange_modes
  };
  out.insert(out.end(), std::begin(fixed), std::end(fixed));
  // key_share with one X25519 key.
  put16(out, 51);
  put16(out, 38);
  put16(out, 36);
  put16(out, 0x1d);
  put16(out, 32);
  putFiller(out, 32, 0x5a);
}

void putRecord(Bytes& out, const Bytes& payload, unsigned minorVersion) {
  put8(out, 22);
  put8(out, 3);
  put8(out, minorVersion);
  put16(out, payload.size());
  out.insert(out.end(), payload.begin(), payload.end());
}

void putHandshake(Bytes& out, unsigned type, const Bytes& body) {
  put8(out, type);
  put24(out, body.size());
  out.insert(out.end(), body.begin(), body.end());
}

}  // namespace

Bytes makeClientHello(std::string_view serverName, StreamMode mode, std::size_t totalBytes) {
  Bytes body;
  put16(body, 0x0303);
  body.insert(body.end(), std::begin(magic), std::end(magic));
  put8(body, static_cast<unsigned>(mode));
  putFiller(body, 32 - sizeof magic - 1, 0x11);
  put8(body, sessionIdBytes);
  body.insert(body.end(), sessionIdBytes, 0);
  static constexpr unsigned suites[] = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0x009e};
  put16(body, sizeof suites / sizeof suites[0] * 2);
  for (unsigned suite : suites) put16(body, suite);
  put16(body, 0x0100);

  Bytes extensions;
  if (!serverName.empty()) putServerName(extensions, serverName);
  putCommonExtensions(extensions);
  const std::size_t before = recordHeaderBytes + 4 + body.size() + 2 + extensions.size();
  if (totalBytes >= before + 4) {
    put16(extensions, 21);
    put16(extensions, totalBytes - before - 4);
    extensions.insert(extensions.end(), totalBytes - before - 4, 0);
  }
  put16(body, extensions.size());
  body.insert(body.end(), extensions.begin(), extensions.end());

  Bytes message;
  putHandshake(message, 1, body);
  Bytes record;
  putRecord(record, message, 1);
  return record;
}

void setSessionId(Bytes& hello, std::uint64_t number) {
  // splitmix64, so that ids that follow each other share no prefix: a stick table's tree sees what real ids look like.
  for (std::size_t word = 0; word < sessionIdBytes / 8; word += 1) {
    std::uint64_t mixed = (number * 4 + word + 1) * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    mixed ^= mixed >> 31;
    std::memcpy(hello.data() + sessionIdOffset + word * 8, &mixed, 8);
  }
}

Bytes makeServerFlight(std::size_t totalBytes) {
  Bytes serverHello;
  put16(serverHello, 0x0303);
  putFiller(serverHello, 32, 0x77);
  put8(serverHello, sessionIdBytes);
  serverHello.insert(serverHello.end(), sessionIdBytes, 0);
  put16(serverHello, 0xc02f);
  put8(serverHello, 0);
  // renegotiation_info, empty (RFC 5746), and no supported_versions: this is TLS 1.2.
  static constexpr std::uint8_t extensions[] = {0x00, 0x05, 0xff, 0x01, 0x00, 0x01, 0x00};
  serverHello.insert(serverHello.end(), std::begin(extensions), std::end(extensions));

  Bytes flight;
  Bytes message;
  putHandshake(message, 2, serverHello);
  putRecord(flight, message, 3);
  constexpr std::size_t doneRecordBytes = recordHeaderBytes + 4;
  const std::size_t certificateAround = recordHeaderBytes + 4;
  if (totalBytes < flight.size() + certificateAround + doneRecordBytes) die("the flight is too short for its messages");
  Bytes certificate;
  putFiller(certificate, totalBytes - flight.size() - certificateAround - doneRecordBytes, 0x30);
  message.clear();
  putHandshake(message, 11, certificate);
  putRecord(flight, message, 3);
  message.clear();
  putHandshake(message, 14, Bytes{});
  putRecord(flight, message, 3);
  return flight;
}

std::size_t recordLength(const std::uint8_t* bytes, std::size_t count) {
  if (count < recordHeaderBytes) return 0;
  return recordHeaderBytes + (static_cast<std::size_t>(bytes[3]) << 8 | bytes[4]);
}

bool readMode(const std::uint8_t* hello, std::size_t count, StreamMode& mode) {
  if (count < sessionIdOffset + sessionIdBytes || hello[0] != 22 || hello[5] != 1) return false;
  if (std::memcmp(hello + randomOffset, magic, sizeof magic) != 0 || hello[sessionIdLengthOffset] != sessionIdBytes) return false;
  mode = static_cast<StreamMode>(hello[modeOffset]);
  return true;
}

bool answers(const Bytes& hello, const std::uint8_t* reply, std::size_t count) {
  return count >= sessionIdOffset + sessionIdBytes && reply[0] == 22 && reply[5] == 2 &&
         std::memcmp(hello.data() + sessionIdOffset, reply + sessionIdOffset, sessionIdBytes) == 0;
}

}  // namespace load
