#include "core/netlink/monitor.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/netlink/codec.h"
#include "core/netlink/registry.h"

namespace netlink_ct {
namespace {

constexpr size_t receive_size = 128 * 1024;  // a device that has 64 KiB of names, and all else

std::optional<int> origin(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level != SOL_NETLINK || control->cmsg_type != NETLINK_LISTEN_ALL_NSID) continue;
    int nsid = 0;
    std::memcpy(&nsid, CMSG_DATA(control), sizeof nsid);
    return nsid;
  }
  return std::nullopt;
}

}  // namespace

Result<void> read_news(int protocol, std::span<const uint8_t> datagram, std::optional<int> nsid, std::vector<News>& into) {
  auto bytes = datagram;
  while (!bytes.empty()) {
    auto taken = take_message(bytes);
    if (!taken) return taken.error();
    const auto& [header, payload] = taken.value();
    const MessageType* type = message_type(protocol, header.nlmsg_type);
    if (type == nullptr) continue;
    Packer body;
    if (auto done = decode(body, answer_schema(*type), payload, Unknown::drop); !done) {
      done.error().syscall = type->name;
      return done;
    }
    into.push_back({type, header.nlmsg_flags, nsid, body.release()});
  }
  return {};
}

Result<Monitor> Monitor::open(int protocol, const Options& options) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd) return system_error("socket");
  // Above net.core.rmem_max only with CAP_NET_ADMIN in the initial user namespace; without, as much as it allows.
  const int size = options.receive_queue;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  const int on = 1;
  if (options.all_namespaces && setsockopt(fd.get(), SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof on) != 0)
    return system_error("setsockopt", "listen to all namespaces");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return system_error("bind");
  for (const uint32_t group : options.groups) {
    if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
      return system_error("setsockopt", "join the multicast group " + std::to_string(group));
  }
  return Monitor(std::move(fd), protocol);
}

Result<Monitor::Reading> Monitor::read(std::vector<News>& into) {
  if (buffer_.empty()) buffer_.resize(receive_size);
  for (;;) {
    sockaddr_nl sender{};
    iovec part{buffer_.data(), buffer_.size()};
    alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = recvmsg(fd_.get(), &message, MSG_DONTWAIT);
    if (length < 0) {
      if (errno == EINTR) continue;
      if (errno == ENOBUFS) {
        losing_ = true;
        continue;
      }
      if (errno != EAGAIN) return system_error("recvmsg");
      // The kernel goes on dropping until the queue is empty (NETLINK_S_CONGESTED): the loss is over here, and not before.
      if (!losing_) return Reading::nothing;
      losing_ = false;
      return Reading::lost;
    }
    if (sender.nl_pid != 0 || losing_) continue;  // only the kernel is believed
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      losing_ = true;
      continue;
    }
    auto parsed = read_news(protocol_, {buffer_.data(), static_cast<size_t>(length)}, origin(message), into);
    if (!parsed) return parsed.error();
    return Reading::news;
  }
}

}  // namespace netlink_ct
