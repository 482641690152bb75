// Network settings under /proc/sys/net, which the kernel shows for the namespace of the thread that opens them.
#pragma once

#include <string>

#include "core/netns/home.h"

namespace netlink_ct {

// `path` is relative to /proc/sys/net ("ipv4/ip_forward"), checked by the caller to stay below it. The text comes without the
// newline at its end.
Result<std::string> read_sysctl(Home& home, const Namespace& target, const std::string& path);
Result<void> write_sysctl(Home& home, const Namespace& target, const std::string& path, const std::string& value);

// The same for a thread that is inside already.
Result<void> write_sysctl_here(const std::string& path, const std::string& value);

}  // namespace netlink_ct
