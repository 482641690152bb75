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

Result<Socket*> Namespace::socket(Home& home, int protocol) {
  auto& slot = protocol == NETLINK_ROUTE ? route_ : netfilter_;
  if (!slot) {
    Result<Socket> opened = Error{};
    auto visited = home.visit(*this, [&] { opened = Socket::open(protocol, home.desk(), inode_); });
    if (!visited) return visited.error();
    if (!opened) return opened.error();
    slot.emplace(std::move(opened.value()));
  }
  return &*slot;
}

}  // namespace netlink_ct
