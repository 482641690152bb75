// A netlink socket, bound for life to the namespace that the calling thread was in when it was opened.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/fd.h"
#include "core/netlink/desk.h"
#include "core/result.h"

namespace netlink_ct {

class Socket {
 public:
  // protocol: NETLINK_ROUTE or NETLINK_NETFILTER. With EXT_ACK, CAP_ACK and (rtnetlink) strict checking on. `desk`: of this
  // thread, for one exchange at a time. `netns`: the inode of the namespace that the thread is in, for transcripts.
  static Result<Socket> open(int protocol, std::shared_ptr<Desk> desk = std::make_shared<Desk>(), uint64_t netns = 0);

  // Takes a socket as it is: the tests' lying kernels are the other end of a socketpair(2).
  static Socket adopt(Fd fd, int protocol, std::shared_ptr<Desk> desk = std::make_shared<Desk>());

  Result<void> send(std::span<const uint8_t> bytes);

  // The next datagram, valid until the next call on any socket that shares the desk; empty when none is queued. The kernel
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
  [[nodiscard]] Desk& desk() const noexcept { return *desk_; }
  [[nodiscard]] uint64_t netns() const noexcept { return netns_; }

 private:
  Socket(Fd fd, int protocol, std::shared_ptr<Desk> desk, uint64_t netns)
      : fd_(std::move(fd)), protocol_(protocol), netns_(netns), desk_(std::move(desk)) {}

  Fd fd_;
  int protocol_;
  uint64_t netns_;
  uint32_t sequence_ = 0;
  std::shared_ptr<Desk> desk_;
};

}  // namespace netlink_ct
