#include "peers.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "../src/syscalls.h"

namespace stress {

namespace sys = switchyard::sys;

namespace {

// A connection that takes longer than this is stuck.
constexpr uint64_t kPatienceMs = 60'000;
constexpr size_t kBufferBytes = 64 * 1024;

void set_buffers(int fd, uint32_t bytes) {
  if (bytes == 0) return;
  const int size = static_cast<int>(bytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

}  // namespace

Peers::Peers(const Options& options) : options_(options), random_(options.seed ^ 0x5eed), buffer_(kBufferBytes) {
  epoll_.reset(sys::make_epoll().fd);
  switchyard::Address address;
  address.family = 4;
  address.ip[0] = 127;
  address.ip[3] = 1;
  listening_.reset(sys::bind_listener(address, false).fd);
  sys::local_address(listening_.get(), &server_address_);
  listen(listening_.get(), 4096);
  sys::epoll_add(epoll_.get(), listening_.get(), EPOLLIN, static_cast<uint64_t>(listening_.get()));
}

void Peers::set_targets(const std::vector<switchyard::Address>& targets) {
  const std::lock_guard lock(targets_mutex_);
  targets_ = targets;
}

void Peers::run() {
  std::vector<epoll_event> events(512);
  while (!stopping_.load() && failure_.empty()) {
    now_ms_ = sys::monotonic_ms();
    begin_clients();
    if (begun_ == options_.connections && clients_live_ == 0 && endpoints_.empty()) break;
    const int found = sys::epoll_wait_for(epoll_.get(), events.data(), static_cast<int>(events.size()), 5);
    now_ms_ = sys::monotonic_ms();
    for (int at = 0; at < found; at += 1) {
      const int fd = static_cast<int>(events[static_cast<size_t>(at)].data.u64);
      if (fd == listening_.get()) {
        accept_servers();
      } else if (const auto endpoint = endpoints_.find(fd); endpoint != endpoints_.end()) {
        serve(*endpoint->second, events[static_cast<size_t>(at)].events);
      }
    }
    wake_paused();
  }
  endpoints_.clear();
}

void Peers::begin_clients() {
  // In bursts, so that accepting has something to do.
  if (clients_live_ + random_.below(32) >= options_.at_once) return;
  for (int burst = 0; burst < 64 && begun_ < options_.connections && clients_live_ < options_.at_once; burst += 1)
    begin_client(begun_++);
}

void Peers::begin_client(uint64_t number) {
  auto endpoint = std::make_unique<Endpoint>();
  endpoint->plan = Plan::of(options_.seed, number);
  endpoint->number = number;
  endpoint->is_client = true;
  endpoint->planned = true;
  endpoint->born_ms = now_ms_;
  endpoint->hello = make_proxy_header(endpoint->plan);
  const std::vector<uint8_t> hello = make_hello(endpoint->plan, number);
  endpoint->hello.insert(endpoint->hello.end(), hello.begin(), hello.end());
  // At least a byte: a client that says nothing at all to a listener that goes is told nothing by TCP_DEFER_ACCEPT.
  if (endpoint->plan.fate == Fate::kHelloStops || endpoint->plan.fate == Fate::kHelloResets)
    endpoint->hello.resize(1 + random_.below(endpoint->hello.size() - 1));
  switchyard::Address target;
  {
    const std::lock_guard lock(targets_mutex_);
    target = targets_[random_.below(targets_.size())];
  }
  const sys::FileResult made = sys::tcp_socket(target.family);
  if (made.error != 0) return fail(*endpoint, "has no socket");
  endpoint->socket.reset(made.fd);
  set_buffers(made.fd, endpoint->plan.socket_buffer);
  const int error = sys::connect_to(made.fd, target);
  if (error != 0 && error != EINPROGRESS) {
    refused_ += 1;
    return;
  }
  endpoint->interest = EPOLLIN | EPOLLOUT;
  sys::epoll_add(epoll_.get(), made.fd, endpoint->interest, static_cast<uint64_t>(made.fd));
  clients_live_ += 1;
  endpoints_[made.fd] = std::move(endpoint);
}

void Peers::accept_servers() {
  for (int taken = 0; taken < 64; taken += 1) {
    const sys::AcceptResult accepted = sys::accept_from(listening_.get());
    if (accepted.error != 0) return;
    auto endpoint = std::make_unique<Endpoint>();
    endpoint->socket.reset(accepted.fd);
    endpoint->connected = true;
    endpoint->born_ms = now_ms_;
    endpoint->interest = EPOLLIN;
    sys::epoll_add(epoll_.get(), accepted.fd, EPOLLIN, static_cast<uint64_t>(accepted.fd));
    endpoints_[accepted.fd] = std::move(endpoint);
  }
}

// A connection that a listener's kernel queue held as the listener went is reset before anything was said.
bool Peers::unserved(const Endpoint& endpoint) const { return endpoint.is_client && endpoint.received == 0; }

// Whether every byte of this connection has to reach the other end.
bool Peers::must_arrive(const Endpoint& endpoint) const {
  return endpoint.planned && (endpoint.plan.fate == Fate::kOrderly || endpoint.plan.fate == Fate::kServerGone);
}

void Peers::serve(Endpoint& endpoint, uint32_t events) {
  const int fd = endpoint.socket.get();
  if (endpoint.is_client && !endpoint.connected && (events & (EPOLLERR | EPOLLHUP)) != 0) {
    // Its listener has gone meanwhile; with the kernel's help that is a refusal or a reset.
    refused_ += 1;
    return drop(endpoint);
  }
  if ((events & EPOLLOUT) != 0) {
    endpoint.connected = true;
    write_some(endpoint);
    if (endpoints_.find(fd) == endpoints_.end()) return;
  }
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) read_some(endpoint);
  if (const auto still = endpoints_.find(fd); still != endpoints_.end()) update_interest(*still->second);
}

void Peers::read_some(Endpoint& endpoint) {
  const size_t wanted = 1 + random_.below(buffer_.size());
  const sys::IoResult got = sys::receive(endpoint.socket.get(), buffer_.data(), std::min(wanted, buffer_.size()));
  if (got.error == EAGAIN) return;
  if (got.error != 0) {
    if (unserved(endpoint)) refused_ += 1;
    else if (must_arrive(endpoint)) return fail(endpoint, "was reset");
    return drop(endpoint);
  }
  if (got.count > 0) {
    take_bytes(endpoint, buffer_.data(), got.count);
    return;
  }
  endpoint.ended = true;
  if (endpoint.broken && unserved(endpoint)) {
    refused_ += 1;
    return drop(endpoint);
  }
  const uint64_t expected = endpoint.is_client ? endpoint.plan.server_bytes : endpoint.plan.client_bytes;
  if (must_arrive(endpoint) && endpoint.received != expected) return fail(endpoint, "lost bytes");
  if (endpoint.is_client && endpoint.plan.fate == Fate::kRejected) {
    if (endpoint.received != 7) return fail(endpoint, "did not get its alert");
    alerts_read_ += 1;
    return drop(endpoint);
  }
  if (!must_arrive(endpoint)) return drop(endpoint);
  if (endpoint.finished) {
    if (endpoint.is_client) orderly_done_ += 1;
    drop(endpoint);
  }
}

void Peers::take_bytes(Endpoint& endpoint, const uint8_t* bytes, size_t size) {
  if (!endpoint.planned) {
    endpoint.hello.insert(endpoint.hello.end(), bytes, bytes + size);
    size_t length = 0;
    if (!read_hello(endpoint.hello.data(), endpoint.hello.size(), &endpoint.number, &length)) return;
    endpoint.plan = Plan::of(options_.seed, endpoint.number);
    endpoint.planned = true;
    set_buffers(endpoint.socket.get(), endpoint.plan.socket_buffer);
    const std::vector<uint8_t> rest(endpoint.hello.begin() + static_cast<ptrdiff_t>(length), endpoint.hello.end());
    endpoint.hello.clear();
    if (!rest.empty()) take_bytes(endpoint, rest.data(), rest.size());
    return;
  }
  if (endpoint.is_client && endpoint.plan.fate == Fate::kRejected) {
    endpoint.received += size;
    return;
  }
  const uint64_t seed = endpoint.is_client ? ~endpoint.plan.seed : endpoint.plan.seed;
  if (!matches_pattern(seed, endpoint.received, bytes, size)) return fail(endpoint, "got other bytes");
  endpoint.received += size;
  const uint64_t expected = endpoint.is_client ? endpoint.plan.server_bytes : endpoint.plan.client_bytes;
  if (endpoint.received > expected) return fail(endpoint, "got more bytes than were sent");
  if (endpoint.plan.stalls && random_.one_in(40)) endpoint.paused_until_ms = now_ms_ + random_.below(120);
}

void Peers::write_some(Endpoint& endpoint) {
  if (!endpoint.planned || endpoint.finished) return;
  const int fd = endpoint.socket.get();
  if (endpoint.hello_sent < endpoint.hello.size()) {
    const size_t left = endpoint.hello.size() - endpoint.hello_sent;
    const size_t piece = random_.one_in(3) ? 1 + random_.below(left) : left;
    const sys::IoResult sent = sys::send(fd, endpoint.hello.data() + endpoint.hello_sent, piece);
    if (sent.error == EAGAIN) return;
    if (sent.error != 0) {
      endpoint.broken = true;
      endpoint.finished = true;
      return;
    }
    endpoint.hello_sent += sent.count;
    return;
  }
  const Fate fate = endpoint.plan.fate;
  if (endpoint.is_client && fate == Fate::kHelloResets) return reset(endpoint);
  if (endpoint.is_client && fate == Fate::kHelloStops) return;
  const uint64_t all = endpoint.is_client ? endpoint.plan.client_bytes : endpoint.plan.server_bytes;
  const bool resets = fate == (endpoint.is_client ? Fate::kClientResets : Fate::kServerResets);
  if (resets && endpoint.sent >= endpoint.plan.reset_at) return reset(endpoint);
  if (endpoint.sent == all) {
    sys::shutdown_write(fd);
    endpoint.finished = true;
    if (endpoint.ended) {
      if (endpoint.is_client && must_arrive(endpoint)) orderly_done_ += 1;
      drop(endpoint);
    }
    return;
  }
  const size_t size = static_cast<size_t>(std::min<uint64_t>(all - endpoint.sent, 1 + random_.skewed(buffer_.size())));
  fill_pattern(endpoint.is_client ? endpoint.plan.seed : ~endpoint.plan.seed, endpoint.sent, buffer_.data(),
               std::min(size, buffer_.size()));
  const sys::IoResult sent = sys::send(fd, buffer_.data(), std::min(size, buffer_.size()));
  if (sent.error == EAGAIN) return;
  if (sent.error != 0) {
    // What the other end had sent before is still to be read.
    endpoint.broken = true;
    endpoint.finished = true;
    return;
  }
  endpoint.sent += sent.count;
}

void Peers::reset(Endpoint& endpoint) {
  sys::reset_on_close(endpoint.socket.get());
  drop(endpoint);
}

void Peers::drop(Endpoint& endpoint) {
  if (endpoint.is_client) clients_live_ -= 1;
  endpoints_.erase(endpoint.socket.get());
}

void Peers::update_interest(Endpoint& endpoint) {
  uint32_t interest = 0;
  if (endpoint.paused_until_ms <= now_ms_) {
    if (!endpoint.ended) interest |= EPOLLIN;
    const bool silent = endpoint.is_client && endpoint.plan.fate == Fate::kHelloStops &&
                        endpoint.hello_sent == endpoint.hello.size();
    if (endpoint.planned && !endpoint.finished && !silent) interest |= EPOLLOUT;
  }
  if (interest == endpoint.interest) return;
  endpoint.interest = interest;
  sys::epoll_change(epoll_.get(), endpoint.socket.get(), interest, static_cast<uint64_t>(endpoint.socket.get()));
}

void Peers::wake_paused() {
  for (const auto& [fd, endpoint] : endpoints_) {
    if (endpoint->paused_until_ms != 0 && endpoint->paused_until_ms <= now_ms_) {
      endpoint->paused_until_ms = 0;
      update_interest(*endpoint);
    }
    if (now_ms_ - endpoint->born_ms > kPatienceMs) return fail(*endpoint, "is stuck");
  }
}

void Peers::fail(const Endpoint& endpoint, const char* what) {
  char text[256];
  snprintf(text, sizeof text,
           "the %s of connection %llu (fate %d, %llu up, %llu down) %s after %llu sent and %llu received",
           endpoint.is_client ? "client" : "server", static_cast<unsigned long long>(endpoint.number),
           static_cast<int>(endpoint.plan.fate), static_cast<unsigned long long>(endpoint.plan.client_bytes),
           static_cast<unsigned long long>(endpoint.plan.server_bytes), what,
           static_cast<unsigned long long>(endpoint.sent), static_cast<unsigned long long>(endpoint.received));
  failure_ = text;
}

}  // namespace stress
