#include "core/netns/sysctl.h"

#include <fcntl.h>

#include <array>

namespace netlink_ct {
namespace {

std::string file_of(const std::string& path) { return "/proc/sys/net/" + path; }

Result<std::string> read_here(const std::string& path) {
  const Fd file(::open(file_of(path).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("open", file_of(path));
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t length = ::read(file.get(), part.data(), part.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return system_error("read", file_of(path));
    if (length == 0) break;
    text.append(part.data(), static_cast<size_t>(length));
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Result<void> write_sysctl_here(const std::string& path, const std::string& value) {
  const Fd file(::open(file_of(path).c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return system_error("open", file_of(path));
  // One write: the kernel parses each write(2) on its own.
  ssize_t written = 0;
  do {
    written = ::write(file.get(), value.data(), value.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return system_error("write", file_of(path));
  return {};
}

Result<std::string> read_sysctl(Home& home, const Namespace& target, const std::string& path) {
  Result<std::string> text = Error{};
  auto visited = home.visit(target, [&] { text = read_here(path); });
  if (!visited) return visited.error();
  return text;
}

Result<void> write_sysctl(Home& home, const Namespace& target, const std::string& path, const std::string& value) {
  home.desk()->note_setting(target.inode(), path, value);
  Result<void> done;
  auto visited = home.visit(target, [&] { done = write_sysctl_here(path, value); });
  if (!visited) return visited.error();
  return done;
}

}  // namespace netlink_ct
