#include "core/netns/sysctl.h"

#include <fcntl.h>

#include <array>

namespace netlink_ct {
namespace {

// Where it is for people.
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

// Below the directory `at`, to which `prefix` leads.
Result<void> write_below(int at, const std::string& prefix, const std::string& path, const std::string& value) {
  const Fd file(::openat(at, path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return system_error("open", prefix + path);
  // One write: the kernel parses each write(2) on its own.
  ssize_t written = 0;
  do {
    written = ::write(file.get(), value.data(), value.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return system_error("write", prefix + path);
  return {};
}

void note(Home& home, const Namespace& target, const std::string& directory, const Settings& settings) {
  for (const auto& [name, value] : settings) home.desk()->note_setting(target.inode(), directory + "/" + name, value);
}

}  // namespace

Result<std::string> read_sysctl(Home& home, const Namespace& target, const std::string& path) {
  Result<std::string> text = Error{};
  auto visited = home.visit(target, [&] { text = read_here(path); });
  if (!visited) return visited.error();
  return text;
}

Result<void> write_sysctl(Home& home, const Namespace& target, const std::string& path, const std::string& value) {
  home.desk()->note_setting(target.inode(), path, value);
  Result<void> done;
  auto visited = home.visit(target, [&] { done = write_below(AT_FDCWD, "", file_of(path), value); });
  if (!visited) return visited.error();
  return done;
}

Result<void> write_sysctls_here(Home& home, const Namespace& place, const std::string& directory, const Settings& settings) {
  note(home, place, directory, settings);
  auto net = home.proc_net().directory();
  if (!net) return net.error();
  const Fd opened(::openat(net.value(), directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return system_error("open", file_of(directory));
  for (const auto& [name, value] : settings) {
    if (auto done = write_below(opened.get(), file_of(directory) + "/", name, value); !done) return done;
  }
  return {};
}

Result<void> write_sysctls(Home& home, const Namespace& target, const std::string& directory, const Settings& settings) {
  Result<void> done;
  auto visited = home.visit(target, [&] { done = write_sysctls_here(home, target, directory, settings); });
  if (!visited) return visited.error();
  return done;
}

Result<void> write_ipv6_sysctls(Home& home, Namespace& target, const std::string& ifname, const Settings& settings) {
  note(home, target, "ipv6/conf/" + ifname, settings);
  auto devices = target.ipv6_devices(home);
  if (!devices) return devices.error();
  for (const auto& [name, value] : settings) {
    if (auto done = write_below(devices.value(), file_of("ipv6/conf/"), ifname + "/" + name, value); !done) return done;
  }
  return {};
}

}  // namespace netlink_ct
