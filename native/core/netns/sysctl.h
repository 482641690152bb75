// Network settings under /proc/sys/net, which the kernel shows for the namespace of the thread that looks them up.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/netns/home.h"

namespace netlink_ct {

// `path` is relative to /proc/sys/net ("ipv4/ip_forward"), checked by the caller to stay below it. The text comes without the
// newline at its end.
Result<std::string> read_sysctl(Home& home, const Namespace& target, const std::string& path);
Result<void> write_sysctl(Home& home, const Namespace& target, const std::string& path, const std::string& value);

using Settings = std::vector<std::pair<std::string, std::string>>;

// Several below one directory ("ipv6/conf/eth0"), in order, until one is refused.
Result<void> write_sysctls(Home& home, const Namespace& target, const std::string& directory, const Settings& settings);
// The same for a thread that is inside `place` already.
Result<void> write_sysctls_here(Home& home, const Namespace& place, const std::string& directory, const Settings& settings);
// The same for one of `target`'s IPv6 devices, without a way there.
Result<void> write_ipv6_sysctls(Home& home, Namespace& target, const std::string& ifname, const Settings& settings);

}  // namespace netlink_ct
