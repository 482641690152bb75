// A network namespace held open, and the netlink sockets that were opened in it.
#pragma once

#include <sys/types.h>

#include <optional>

#include "core/fd.h"
#include "core/netlink/socket.h"
#include "core/result.h"

namespace netlink_ct {

class Home;

// Held by shared_ptr from the JavaScript handle and from every queued job, used by one executor thread: no locks. While it lives
// the kernel keeps the namespace; when the last reference goes, its sockets close with it and keep nothing alive.
class Namespace {
 public:
  // Takes a descriptor of /proc/PID/ns/net; EINVAL when it is something else.
  static Result<Namespace> adopt(Fd fd);
  static Result<Namespace> open(const char* path);

  // The socket for NETLINK_ROUTE or NETLINK_NETFILTER, opened inside on first use.
  Result<Socket*> socket(Home& home, int protocol);
  // The same for a thread that is inside.
  Result<Socket*> socket_here(Home& home, int protocol);

  // The directory net/ipv6/conf of /proc/sys as it is inside, opened on first use: from anywhere it leads to this namespace's
  // devices.
  Result<int> ipv6_devices(Home& home);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] ino_t inode() const noexcept { return inode_; }
  [[nodiscard]] bool same(const Namespace& other) const noexcept { return inode_ == other.inode_ && device_ == other.device_; }

 private:
  Namespace(Fd fd, dev_t device, ino_t inode) : fd_(std::move(fd)), device_(device), inode_(inode) {}

  std::optional<Socket>& slot_of(int protocol);

  Fd fd_;
  dev_t device_;
  ino_t inode_;
  std::optional<Socket> route_;
  std::optional<Socket> netfilter_;
  Fd ipv6_devices_;
};

}  // namespace netlink_ct
