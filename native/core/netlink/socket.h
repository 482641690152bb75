// A netlink socket, bound for life to the namespace that the calling thread was in when it was opened.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/fd.h"
#include "core/result.h"

namespace netlink_ct {

class Socket {
 public:
  // protocol: NETLINK_ROUTE or NETLINK_NETFILTER. With EXT_ACK, CAP_ACK and (rtnetlink) strict checking on.
  static Result<Socket> open(int protocol);

  Result<void> send(std::span<const uint8_t> bytes);

  // The next datagram, valid until the next call; empty when none is queued. The kernel queues its replies before sendmsg(2)
  // returns, so an empty queue is the answer "nothing more", never a reason to wait.
  Result<std::span<const uint8_t>> receive();

  // Reads away what is left of an exchange that was given up.
  void drain();

  // How many bytes one submission may have; raises the limit when `wanted` is above it and the kernel lets us.
  size_t capacity(size_t wanted);

  uint32_t next_sequence() noexcept { return ++sequence_; }
  // How many are open in this process.
  [[nodiscard]] static int count() noexcept { return open_; }
  [[nodiscard]] int protocol() const noexcept { return protocol_; }

  Socket(Socket&&) noexcept = default;
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(protocol_, other.protocol_);
    std::swap(sequence_, other.sequence_);
    buffer_.swap(other.buffer_);
    return *this;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_) --open_;
  }

 private:
  Socket(Fd fd, int protocol) : fd_(std::move(fd)), protocol_(protocol) { ++open_; }

  inline static std::atomic<int> open_ = 0;

  Fd fd_;
  int protocol_;
  uint32_t sequence_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace netlink_ct
