// Containers taken off their bridge, many at once: one RTM_DELLINK costs grace periods of tens of milliseconds, for one link or
// for a whole group.
#pragma once

#include <memory>
#include <vector>

#include "core/container/publish.h"
#include "core/netns/home.h"

namespace netlink_ct {

struct DetachPlan {
  std::shared_ptr<Namespace> host;
  std::vector<uint32_t> host_indexes;  // of the host ends
  std::vector<Element> elements;       // what they published
  std::vector<Element> marks;          // that they did
  std::vector<Bytes> addresses;        // of those that published anything: what they answer is forgotten
  std::vector<Element> members;        // in sets of policies: they stay as long as the container may send
  TableName table;
};

// Ports first, so that none is left without its container; then the links, and what policies knew of them. What is gone already
// is no error.
Result<void> detach(Home& home, const DetachPlan& plan);

}  // namespace netlink_ct
