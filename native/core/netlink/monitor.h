// The kernel's news: a netlink socket joined to multicast groups, and what it says, message by message.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/fd.h"
#include "core/netlink/schema.h"
#include "core/netlink/value.h"
#include "core/result.h"

namespace netlink_ct {

// One message that the kernel sent to everybody who listens.
struct News {
  const MessageType* type;
  uint16_t flags;           // NLM_F_REPLACE and its like say how a route came to be
  std::optional<int> nsid;  // the namespace it comes from, by the listener's id of it; nothing for the listener's own
  Bytes body;               // packed
};

// The messages of one datagram, those of types that this library does not speak left out. EBADMSG where a length lies.
Result<void> read_news(int protocol, std::span<const uint8_t> datagram, std::optional<int> nsid, std::vector<News>& into);

// Bound for life to the namespace that the calling thread was in when it was opened, which the socket keeps alive.
class Monitor {
 public:
  struct Options {
    std::vector<uint32_t> groups;  // RTNLGRP_*
    bool all_namespaces = false;   // also those that this namespace has an id for (NETLINK_LISTEN_ALL_NSID)
    int receive_queue = 4 * 1024 * 1024;
  };
  static Result<Monitor> open(int protocol, const Options& options);

  enum class Reading : uint8_t {
    news,     // one datagram was read; its messages are appended, which may be none that this library speaks
    nothing,  // no datagram is queued
    lost      // the kernel dropped messages for lack of room; what follows is complete again
  };
  // Never blocks. After a loss everything that is queued is thrown away first: it is older than what was dropped, and whoever
  // reads the present state on hearing of the loss must not be told older news afterwards.
  Result<Reading> read(std::vector<News>& into);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  Monitor(Fd fd, int protocol) : fd_(std::move(fd)), protocol_(protocol) {}

  Fd fd_;
  int protocol_;
  bool losing_ = false;
  std::vector<uint8_t> buffer_;
};

}  // namespace netlink_ct
