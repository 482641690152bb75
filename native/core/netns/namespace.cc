#include "core/netns/namespace.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "core/netns/home.h"

namespace netlink_ct {

Result<Namespace> Namespace::adopt(Fd fd) {
  if (ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    return Error{
        .code = EINVAL, .syscall = "ioctl", .step = {}, .extack = {}, .attribute = {}, .note = "not a network namespace"};
  }
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return system_error("fstat");
  return Namespace(std::move(fd), status.st_dev, status.st_ino);
}

Result<Namespace> Namespace::open(const char* path) {
  // Without O_NONBLOCK a FIFO that somebody put there would hold the thread until somebody else writes to it.
  Fd fd(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return system_error("open", path);
  auto adopted = adopt(std::move(fd));
  if (!adopted) adopted.error().step = path;
  return adopted;
}

std::optional<Socket>& Namespace::slot_of(int protocol) { return protocol == NETLINK_ROUTE ? route_ : netfilter_; }

Result<Socket*> Namespace::socket(Home& home, int protocol) {
  auto& slot = slot_of(protocol);
  if (slot) return &*slot;
  Result<Socket*> opened = Error{};
  auto visited = home.visit(*this, [&] { opened = socket_here(home, protocol); });
  if (!visited) return visited.error();
  return opened;
}

Result<Socket*> Namespace::socket_here(Home& home, int protocol) {
  auto& slot = slot_of(protocol);
  if (!slot) {
    auto opened = Socket::open(protocol, home.desk(), inode_);
    if (!opened) return opened.error();
    slot.emplace(std::move(opened.value()));
  }
  return &*slot;
}

Result<int> Namespace::ipv6_devices(Home& home) {
  if (!ipv6_devices_) {
    constexpr const char* path = "/proc/sys/net/ipv6/conf";
    Result<Fd> opened = Error{};
    auto visited = home.visit(*this, [&] {
      opened = Fd(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!opened.value()) opened = system_error("open", path);
    });
    if (!visited) return visited.error();
    if (!opened) return opened.error();
    ipv6_devices_ = std::move(opened.value());
  }
  return ipv6_devices_.get();
}

}  // namespace netlink_ct
