#include "core/netns/proc_net.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace netlink_ct {
namespace {

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

}  // namespace

Result<int> ProcNet::directory() {
  if (directory_ && (!mounts_ || uses_ < most_uses)) return ++uses_, directory_.get();
  uses_ = 1;
  if (mounts_) directory_ = mounted_net();
  if (!directory_) {
    mounts_ = false;
    directory_ = open_net(AT_FDCWD, "/proc/sys/net");
  }
  if (!directory_) return system_error("open", "/proc/sys/net");
  return directory_.get();
}

}  // namespace netlink_ct
