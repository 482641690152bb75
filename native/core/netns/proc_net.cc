#include "core/netns/proc_net.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace netlink_ct {
namespace {

constexpr const char* net = "/proc/sys/net";
// To mount costs less than a hundred look-ups in a short chain do.
constexpr int most_uses = 64;

Fd open_net(int at, const char* path) { return Fd(::openat(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC)); }

// Not all C libraries have these as functions.
Fd mounted_net() {
  const Fd context(static_cast<int>(syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC)));
  if (!context || syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return Fd();
  constexpr unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const Fd mount(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes)));
  if (!mount) return Fd();
  return open_net(mount.get(), "sys/net");
}

bool is_writable() {
  struct statvfs status{};
  return statvfs(net, &status) == 0 && (status.f_flag & ST_RDONLY) == 0;
}

}  // namespace

Result<int> ProcNet::directory() {
  if (may_mount_ && is_writable()) {
    if (!own_ || uses_ == most_uses) {
      own_ = mounted_net();
      uses_ = 0;
    }
    may_mount_ = static_cast<bool>(own_);
    if (own_) return ++uses_, own_.get();
  }
  // Another one may have been mounted over it.
  shared_ = open_net(AT_FDCWD, net);
  if (!shared_) return system_error("open", net);
  return shared_.get();
}

}  // namespace netlink_ct
