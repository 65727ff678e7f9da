#include "options.h"

#include <arpa/inet.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "fault.h"

namespace load {

namespace {

constexpr double secondsMax = 600;
constexpr std::size_t messageBytesMax = 4096;

double number(const char* name, const char* text, double min, double max) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !std::isfinite(value) || value < min || value > max) {
    std::fprintf(stderr, "%s: %s is not a number from %g to %g\n", name, text, min, max);
    std::exit(2);
  }
  return value;
}

StreamMode directionOf(std::string_view text) {
  if (text == "up") return StreamMode::bulkUp;
  if (text == "down") return StreamMode::bulkDown;
  if (text == "both") return StreamMode::bulkBoth;
  if (text == "verify") return StreamMode::verifyBoth;
  die("--direction: up, down, both or verify");
}

std::vector<sockaddr_in> parseTargets(std::string_view text) {
  std::vector<sockaddr_in> targets;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    targets.push_back(parseAddress(std::string(text.substr(0, comma))));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return targets;
}

}  // namespace

sockaddr_in parseAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (colon == std::string::npos || ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    std::fprintf(stderr, "%s: not an address like 127.0.0.1:8443\n", text.c_str());
    std::exit(2);
  }
  address.sin_port = htons(static_cast<std::uint16_t>(number("port", text.c_str() + colon + 1, 0, 65535)));
  return address;
}

Options parseOptions(int argc, char** argv) {
  Options options;
  if (argc < 2) die("usage: load rate|bulk|rtt|idle|half-hello --connect 127.0.0.1:port [--seconds n] ...");
  options.mode = argv[1];
  for (int index = 2; index < argc; index += 2) {
    const std::string_view name = argv[index];
    if (index + 1 == argc) die("an option lacks its value");
    const char* value = argv[index + 1];
    const auto within = [&](double min, double max) { return number(argv[index], value, min, max); };
    if (name == "--connect") options.targets = parseTargets(value);
    else if (name == "--seconds") options.seconds = within(0.01, secondsMax);
    else if (name == "--connections") options.connections = static_cast<std::uint64_t>(within(0, 1e9));
    else if (name == "--concurrency") options.concurrency = static_cast<int>(within(1, 10000));
    else if (name == "--streams") options.streams = static_cast<int>(within(1, 10000));
    else if (name == "--pace") options.pace = within(0, 1e6);
    else if (name == "--direction") options.direction = directionOf(value);
    else if (name == "--names") options.names = static_cast<int>(within(1, 1e6));
    else if (name == "--name-suffix") options.nameSuffix = value;
    else if (name == "--session-ids") options.sessionIds = static_cast<std::uint64_t>(within(1, 1e12));
    else if (name == "--hello-bytes") options.helloBytes = static_cast<std::size_t>(within(0, 16000));
    else if (name == "--flight-bytes") options.flightBytes = static_cast<std::size_t>(within(128, 16000));
    else if (name == "--message-bytes") options.messageBytes = static_cast<std::size_t>(within(1, messageBytesMax));
    else if (name == "--timeout") options.timeoutSeconds = within(0.1, 600);
    else die("unknown option");
  }
  if (options.targets.empty()) die("--connect is missing");
  return options;
}

std::vector<Bytes> makeHellos(const Options& options, StreamMode mode) {
  std::vector<Bytes> hellos;
  for (int index = 0; index < options.names; index += 1) {
    hellos.push_back(makeClientHello("host" + std::to_string(index) + options.nameSuffix, mode, options.helloBytes));
  }
  return hellos;
}

}  // namespace load
