// The one place that changes a thread's network namespace.
#pragma once

#include <functional>

#include "core/netns/namespace.h"
#include "core/netns/proc_net.h"
#include "core/result.h"

namespace netlink_ct {

// A thread's own namespace, and the way out and back. Belongs to the thread that made it.
class Home {
 public:
  // Where the calling thread is now. `desk` is for the sockets that it opens.
  static Result<Home> here(std::shared_ptr<Desk> desk = std::make_shared<Desk>());

  // Runs `task` inside `target`, and is back when it returns.
  Result<void> visit(const Namespace& target, const std::function<void()>& task);

  // Makes a new namespace; `task` runs inside before anybody else can see it.
  Result<Namespace> create(const std::function<Result<void>(Namespace&)>& task);

  [[nodiscard]] const std::shared_ptr<Desk>& desk() const noexcept { return desk_; }

  [[nodiscard]] ProcNet& proc_net() noexcept { return proc_net_; }

  [[nodiscard]] const Namespace& place() const noexcept { return place_; }

 private:
  Home(Namespace place, std::shared_ptr<Desk> desk, bool returnable)
      : place_(std::move(place)), desk_(std::move(desk)), returnable_(returnable) {}

  // Runs `leave`, then `task` when it succeeded, away from home.
  Result<void> away(const std::function<Result<void>()>& leave, const std::function<void()>& task);

  Namespace place_;
  std::shared_ptr<Desk> desk_;
  ProcNet proc_net_;
  // Whether setns(2) would let this thread come back. It does not where the process entered a user namespace but kept a network
  // namespace of its parent; visits then happen on threads that end with the visit.
  bool returnable_;
  // Set when the way back failed against expectation (privileges dropped in between). Every entry is by descriptor, so that even
  // a lost thread never acts in a namespace that nobody named.
  bool lost_ = false;
};

}  // namespace netlink_ct
