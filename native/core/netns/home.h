// The one place that changes a thread's network namespace.
#pragma once

#include <functional>

#include "core/netns/namespace.h"
#include "core/result.h"

namespace netlink_ct {

// A thread's own namespace, and the way out and back. Belongs to the thread that made it.
class Home {
 public:
  // Where the calling thread is now. `buffer` is for the sockets that it opens.
  static Result<Home> here(Socket::Buffer buffer = std::make_shared<std::vector<uint8_t>>());

  // Runs `task` inside `target`, and is back when it returns.
  Result<void> visit(const Namespace& target, const std::function<void()>& task);

  // Makes a new namespace; `task` runs inside before anybody else can see it.
  Result<Namespace> create(const std::function<Result<void>()>& task);

  [[nodiscard]] const Socket::Buffer& buffer() const noexcept { return buffer_; }

  [[nodiscard]] const Namespace& place() const noexcept { return place_; }

 private:
  Home(Namespace place, Socket::Buffer buffer, bool returnable)
      : place_(std::move(place)), buffer_(std::move(buffer)), returnable_(returnable) {}

  // Runs `leave`, then `task` when it succeeded, away from home.
  Result<void> away(const std::function<Result<void>()>& leave, const std::function<void()>& task);

  Namespace place_;
  Socket::Buffer buffer_;
  // Whether setns(2) would let this thread come back. It does not where the process entered a user namespace but kept a network
  // namespace of its parent; visits then happen on threads that end with the visit.
  bool returnable_;
  // Set when the way back failed against expectation (privileges dropped in between). Every entry is by descriptor, so that even
  // a lost thread never acts in a namespace that nobody named.
  bool lost_ = false;
};

}  // namespace netlink_ct
