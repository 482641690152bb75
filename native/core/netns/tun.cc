#include "core/netns/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace netlink_ct {
namespace {

constexpr const char* device_node = "/dev/net/tun";

std::string step_of(const TunRequest& request, const char* command) {
  if (request.attach) return "attach to " + request.name + " (" + command + ")";
  return std::string("make the ") + (request.mode == TunMode::tap ? "tap" : "tun") + " device " + request.name + " (" + command +
         ")";
}

Error refused(const TunRequest& request, const char* command, const char* note = "") {
  Error error = system_error("ioctl", step_of(request, command));
  error.note = note;
  return error;
}

Result<Fd> open_node() {
  Fd fd(::open(device_node, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd) return fd;
  Error error = system_error("open", device_node);
  if (error.code == ENOENT) error.note = "it is made by `modprobe tun`, or in a container by `mknod /dev/net/tun c 10 200`";
  if (error.code == ENODEV || error.code == ENXIO) error.note = "the kernel has no tun devices: load the module tun";
  return error;
}

// Why TUNSETIFF was refused, where its number alone does not say.
const char* reason(const TunRequest& request, int code) {
  if (code == EBUSY && request.attach) return "its only queue is in use; a device made with multiQueue has more";
  if (code == E2BIG && request.attach) return "it has as many queues as the kernel allows";
  if (code == EINVAL && request.attach) return "no tun or tap device, or made anew meanwhile";
  if (code == EBUSY) return if_nametoindex(request.name.c_str()) == 0 ? "the index is taken" : "the name is taken";
  return "";
}

unsigned short flags_of(const TunRequest& request) {
  int flags = request.mode == TunMode::tap ? IFF_TAP : IFF_TUN;
  if (!request.packet_information) flags |= IFF_NO_PI;
  if (request.vnet_header) flags |= IFF_VNET_HDR;
  if (request.multi_queue) flags |= IFF_MULTI_QUEUE;
  if (!request.attach) flags |= IFF_TUN_EXCL;
  return static_cast<unsigned short>(flags);
}

Result<void> take_interface(int fd, const TunRequest& request) {
  if (!request.attach && request.index != 0 && ioctl(fd, TUNSETIFINDEX, &request.index) != 0)
    return refused(request, "TUNSETIFINDEX");
  ifreq ask{};
  std::copy_n(request.name.data(), std::min(request.name.size(), sizeof ask.ifr_name - 1), ask.ifr_name);
  ask.ifr_flags = static_cast<short>(flags_of(request));
  if (ioctl(fd, TUNSETIFF, &ask) == 0) return {};
  const int code = errno;
  const char* note = reason(request, code);
  errno = code;
  return refused(request, "TUNSETIFF", note);
}

Result<void> settle_owner(int fd, const TunRequest& request) {
  constexpr const char* stranger = "no such id in the user namespace of this process";
  if (request.owner && ioctl(fd, TUNSETOWNER, static_cast<unsigned long>(*request.owner)) != 0)
    return refused(request, "TUNSETOWNER", errno == EINVAL ? stranger : "");
  if (request.owner_group && ioctl(fd, TUNSETGROUP, static_cast<unsigned long>(*request.owner_group)) != 0)
    return refused(request, "TUNSETGROUP", errno == EINVAL ? stranger : "");
  return {};
}

Result<Tun> open_here(const TunRequest& request) {
  auto node = open_node();
  if (!node) return node.error();
  const int fd = node.value().get();
  if (auto taken = take_interface(fd, request); !taken) return taken.error();
  if (auto owned = settle_owner(fd, request); !owned) return owned.error();
  const auto index = static_cast<int>(if_nametoindex(request.name.c_str()));
  // Where the name was gone, TUNSETIFF made a device of it, which goes with the descriptor.
  if (index == 0 || (request.attach && index != request.index)) {
    errno = ENODEV;
    return refused(request, "TUNSETIFF", "it was renamed or deleted meanwhile");
  }
  // Last, because from then on closing the descriptor undoes nothing.
  if (request.persistent && ioctl(fd, TUNSETPERSIST, 1UL) != 0) return refused(request, "TUNSETPERSIST");
  return Tun{.fd = std::move(node.value()), .index = index};
}

}  // namespace

Result<Tun> open_tun(Home& home, const Namespace& target, const TunRequest& request) {
  Result<Tun> opened = Error{};
  auto visited = home.visit(target, [&] { opened = open_here(request); });
  if (!visited) return visited.error();
  return opened;
}

}  // namespace netlink_ct
