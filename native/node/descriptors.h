// Room for file descriptors, made before it is needed.
#pragma once

namespace netlink_ct::node {

// Each time the table of a process with several threads grows, whoever needs the next descriptor waits for an RCU grace period,
// tens of milliseconds: at 64, 128, 256, … containers. This grows it once. To be called on a thread that may wait.
void reserve_descriptors();

}  // namespace netlink_ct::node
