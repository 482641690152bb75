#include "core/netns/mount.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace netlink_ct {
namespace {

constexpr const char* directory = "/run/netns";

std::string path_of(const std::string& name) { return std::string(directory) + "/" + name; }

// The directory becomes a shared mount point of its own, so that a name bound here is seen in mount namespaces made earlier, and
// one removed here is gone there too. Under a lock: two first users at once would stack two mounts.
Result<void> prepare_directory() {
  if (mkdir(directory, 0755) != 0 && errno != EEXIST) return system_error("mkdir", directory);
  const Fd lock(::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return system_error("open", directory);
  if (flock(lock.get(), LOCK_EX) != 0) return system_error("flock", directory);
  if (mount("", directory, "none", MS_SHARED | MS_REC, nullptr) == 0) return {};
  if (errno != EINVAL) return system_error("mount", directory);  // EINVAL: not a mount point yet
  if (mount(directory, directory, "none", MS_BIND | MS_REC, nullptr) != 0) return system_error("mount", directory);
  if (mount("", directory, "none", MS_SHARED | MS_REC, nullptr) != 0) return system_error("mount", directory);
  return {};
}

}  // namespace

Result<void> bind_name(const Namespace& target, const std::string& name) {
  if (auto prepared = prepare_directory(); !prepared) return prepared;
  const std::string path = path_of(name);
  {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0));
    if (!file) return system_error("open", path);
  }
  const std::string source = "/proc/thread-self/fd/" + std::to_string(target.fd());
  if (mount(source.c_str(), path.c_str(), "none", MS_BIND, nullptr) != 0) {
    Error error = system_error("mount", path);
    unlink(path.c_str());
    return error;
  }
  return {};
}

Result<void> unbind_name(const std::string& name) {
  const std::string path = path_of(name);
  // EINVAL: a file without a mount, left by somebody's crash. It goes as well.
  if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL) return system_error("umount2", path);
  if (unlink(path.c_str()) != 0) return system_error("unlink", path);
  return {};
}

}  // namespace netlink_ct
