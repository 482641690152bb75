#include "node/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

#include "core/fd.h"

namespace netlink_ct::node {

void reserve_descriptors() {
  constexpr rlim_t enough = 4096;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 2) return;
  const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) return;
  // The table grows to hold the highest number and stays so. Where that fails the first containers wait, nothing else.
  const Fd highest(fcntl(null.get(), F_DUPFD_CLOEXEC, static_cast<int>(std::min(limit.rlim_cur, enough) - 1)));
}

}  // namespace netlink_ct::node
