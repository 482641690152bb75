// A netlink socket, bound for life to the namespace that the calling thread was in when it was opened.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/fd.h"
#include "core/result.h"

namespace netlink_ct {

class Socket {
 public:
  // What is received, for one exchange at a time: sockets of the same thread share it.
  using Buffer = std::shared_ptr<std::vector<uint8_t>>;

  // protocol: NETLINK_ROUTE or NETLINK_NETFILTER. With EXT_ACK, CAP_ACK and (rtnetlink) strict checking on.
  static Result<Socket> open(int protocol, Buffer buffer = std::make_shared<std::vector<uint8_t>>());

  // Takes a socket as it is: the tests' lying kernels are the other end of a socketpair(2).
  static Socket adopt(Fd fd, int protocol, Buffer buffer = std::make_shared<std::vector<uint8_t>>());

  Result<void> send(std::span<const uint8_t> bytes);

  // The next datagram, valid until the next call on any socket that shares the buffer; empty when none is queued. The kernel
  // queues its replies before sendmsg(2) returns, so an empty queue is the answer "nothing more", never a reason to wait.
  Result<std::span<const uint8_t>> receive();

  // Reads away what is left of an exchange that was given up.
  void drain();

  // How many bytes one submission may have; raises the limit when `wanted` is above it and the kernel lets us.
  size_t capacity(size_t wanted);
  // The same for what waits to be received, in bytes as the kernel counts them: with the overhead of its buffers.
  size_t receive_capacity(size_t wanted);

  uint32_t next_sequence() noexcept { return ++sequence_; }
  [[nodiscard]] int protocol() const noexcept { return protocol_; }

 private:
  Socket(Fd fd, int protocol, Buffer buffer) : fd_(std::move(fd)), protocol_(protocol), buffer_(std::move(buffer)) {}

  Fd fd_;
  int protocol_;
  uint32_t sequence_ = 0;
  Buffer buffer_;
};

}  // namespace netlink_ct
