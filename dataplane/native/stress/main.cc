// The hammer: the engine's core under load that misbehaves, without Node, so that sanitizers see all of it.
//
//   stress [--seed n] [--connections n] [--at-once n] [--threads n] [--restarts n]
//
// Exits with 0 when every byte that had to arrive did, every connection was accounted for, and no descriptor is left.

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <string>
#include <thread>

#include "decider.h"
#include "peers.h"
#include "units.h"

namespace {

size_t open_descriptors() {
  size_t count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) count += 1;
  closedir(folder);
  return count;
}

struct Options {
  uint64_t seed = static_cast<uint64_t>(time(nullptr));
  uint64_t connections = 3000;
  uint64_t at_once = 400;
  uint64_t threads = 2;
  uint64_t restarts = 20;
};

bool read_options(int count, char** arguments, Options* options) {
  for (int at = 1; at + 1 < count; at += 2) {
    const uint64_t value = strtoull(arguments[at + 1], nullptr, 10);
    if (strcmp(arguments[at], "--seed") == 0) options->seed = value;
    else if (strcmp(arguments[at], "--connections") == 0) options->connections = value;
    else if (strcmp(arguments[at], "--at-once") == 0) options->at_once = value;
    else if (strcmp(arguments[at], "--threads") == 0) options->threads = value;
    else if (strcmp(arguments[at], "--restarts") == 0) options->restarts = value;
    else return false;
  }
  return count % 2 == 1;
}

std::string run(const Options& options) {
  stress::Peers peers({options.seed, options.connections, static_cast<uint32_t>(options.at_once)});
  stress::Decider decider({options.seed, static_cast<uint32_t>(options.threads)}, &peers);
  if (!decider.start()) return decider.failure();
  std::thread deciding([&decider] { decider.run(); });
  peers.run();
  decider.stop();
  deciding.join();
  decider.finish();
  printf("%llu connections closed, %llu in order, %llu alerts read, %llu refused, %llu told to wait, %llu questions waited\n",
         static_cast<unsigned long long>(decider.closed()), static_cast<unsigned long long>(peers.orderly_done()),
         static_cast<unsigned long long>(peers.alerts_read()), static_cast<unsigned long long>(peers.refused()),
         static_cast<unsigned long long>(decider.told_to_wait()), static_cast<unsigned long long>(decider.queue_waits()));
  printf("by reason:");
  for (int reason = 0; reason < 256; reason += 1)
    if (const uint64_t times = decider.closed_for(static_cast<uint8_t>(reason)); times > 0)
      printf(" %d: %llu", reason, static_cast<unsigned long long>(times));
  printf("\n");
  return !peers.failure().empty() ? peers.failure() : decider.failure();
}

// An engine that is torn down amid its work, as a worker's is.
std::string restart(const Options& options, uint64_t round) {
  stress::Peers peers({options.seed + round, options.connections, 100});
  std::thread working;
  {
    stress::Decider decider({options.seed + round, static_cast<uint32_t>(options.threads)}, &peers);
    if (!decider.start()) return decider.failure();
    std::thread deciding([&decider] { decider.run(); });
    working = std::thread([&peers] { peers.run(); });
    timespec pause = {0, static_cast<long>((round * 7 % 90) * 1'000'000)};
    nanosleep(&pause, nullptr);
    decider.stop();
    deciding.join();
  }
  // Its connections break, so the peers' complaints mean nothing.
  peers.stop();
  working.join();
  return "";
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  if (!read_options(count, arguments, &options)) {
    fprintf(stderr, "usage: stress [--seed n] [--connections n] [--at-once n] [--threads n] [--restarts n]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  fflush(stdout);
  const size_t before = open_descriptors();
  std::string failure = stress::check_units(options.seed);
  if (failure.empty()) failure = run(options);
  for (uint64_t round = 0; round < options.restarts && failure.empty(); round += 1) failure = restart(options, round);
  const size_t after = open_descriptors();
  if (failure.empty() && after != before)
    failure = std::to_string(after) + " descriptors are open, and before it was " + std::to_string(before);
  if (failure.empty()) return 0;
  fprintf(stderr, "failed with seed %llu: %s\n", static_cast<unsigned long long>(options.seed), failure.c_str());
  return 1;
}
