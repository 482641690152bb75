// Names for namespaces: bind mounts under /run/netns, made as ip-netns(8) makes them, so that both tools see each other's.
#pragma once

#include <string>

#include "core/netns/namespace.h"
#include "core/result.h"

namespace netlink_ct {

// Binds `target` at /run/netns/`name`; EEXIST when the name is taken. Nothing is left behind on failure.
Result<void> bind_name(const Namespace& target, const std::string& name);

// Removes the name; processes and handles inside keep the namespace. ENOENT when there is none.
Result<void> unbind_name(const std::string& name);

}  // namespace netlink_ct
