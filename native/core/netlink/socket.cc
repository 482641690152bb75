#include "core/netlink/socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>

namespace netlink_ct {
namespace {

constexpr size_t receive_size = 128 * 1024;  // datagrams of dumps have 32 KiB, but for a device with 64 KiB of names
constexpr int receive_queue = 4 * 1024 * 1024;

// SO_*BUFFORCE needs CAP_NET_ADMIN in the initial user namespace; the plain option is capped by net.core.{r,w}mem_max.
void raise(int fd, int force, int plain, int size) {
  if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof size) != 0) setsockopt(fd, SOL_SOCKET, plain, &size, sizeof size);
}

}  // namespace

Result<Socket> Socket::open(int protocol, std::shared_ptr<Desk> desk, uint64_t netns) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return system_error("socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  if (protocol == NETLINK_ROUTE && setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on) != 0) {
    return system_error("setsockopt", "strict checking (Linux 4.20)");
  }
  // Hundreds of refusals may queue up behind one submission.
  raise(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF, receive_queue);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return system_error("bind");
  return Socket(std::move(fd), protocol, std::move(desk), netns);
}

Socket Socket::adopt(Fd fd, int protocol, std::shared_ptr<Desk> desk) { return {std::move(fd), protocol, std::move(desk), 0}; }

Result<void> Socket::send(std::span<const uint8_t> bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = sendto(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return system_error("sendto");
  return {};
}

Result<std::span<const uint8_t>> Socket::receive() {
  std::vector<uint8_t>& buffer = desk_->received;
  if (buffer.empty()) buffer.resize(receive_size);
  for (;;) {
    sockaddr_nl sender{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t length = recvmsg(fd_.get(), &message, MSG_DONTWAIT);
    if (length < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return std::span<const uint8_t>();
      return system_error("recvmsg");
    }
    if (sender.nl_pid != 0) continue;  // another process may write to this port; only the kernel is believed
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      return Error{.code = EMSGSIZE,
                   .syscall = "recvmsg",
                   .step = {},
                   .extack = {},
                   .attribute = {},
                   .note = "longer than the buffer of " + std::to_string(receive_size) + " bytes"};
    }
    return std::span<const uint8_t>(buffer.data(), static_cast<size_t>(length));
  }
}

void Socket::drain() {
  for (;;) {
    const auto datagram = receive();
    if (datagram && datagram.value().empty()) return;
    if (!datagram && datagram.error().code != ENOBUFS && datagram.error().code != EMSGSIZE) return;
  }
}

namespace {

size_t queue_size(int fd, int option) {
  int size = 0;
  socklen_t length = sizeof size;
  getsockopt(fd, SOL_SOCKET, option, &size, &length);
  return static_cast<size_t>(size);
}

}  // namespace

size_t Socket::capacity(size_t wanted) {
  const auto limit = [this] { return queue_size(fd_.get(), SO_SNDBUF) - 32; };
  if (limit() < wanted && wanted < INT32_MAX / 4) raise(fd_.get(), SO_SNDBUFFORCE, SO_SNDBUF, static_cast<int>(wanted + 4096));
  return limit();
}

size_t Socket::receive_capacity(size_t wanted) {
  const auto limit = [this] { return queue_size(fd_.get(), SO_RCVBUF); };
  if (limit() < wanted && wanted < INT32_MAX / 4) raise(fd_.get(), SO_RCVBUFFORCE, SO_RCVBUF, static_cast<int>(wanted));
  return limit();
}

}  // namespace netlink_ct
