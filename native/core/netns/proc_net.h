// The way to /proc/sys/net. There every namespace has entries of its own under the same names ("ipv6"), all in one chain, which a
// look-up passes from end to end: among thousands of containers that takes milliseconds. A proc file system that is mounted for
// ourselves, and nowhere to be seen, begins with an empty chain, and is changed for another before it is long.
#pragma once

#include "core/fd.h"
#include "core/result.h"

namespace netlink_ct {

class ProcNet {
 public:
  // The directory, for the next look-up in it. /proc/sys/net itself where mounting is not allowed (in a user namespace, below
  // Linux 5.2), and where somebody made that read-only, or hid it, for us: a mount of our own is no way around them.
  Result<int> directory();

 private:
  Fd own_;
  int uses_ = 0;
  bool may_mount_ = true;
  Fd shared_;
};

}  // namespace netlink_ct
