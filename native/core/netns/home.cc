#include "core/netns/home.h"

#include <sched.h>

#include <system_error>
#include <thread>

namespace netlink_ct {
namespace {

constexpr const char* own_namespace = "/proc/thread-self/ns/net";

Result<void> enter(const Namespace& target) {
  if (setns(target.fd(), CLONE_NEWNET) != 0) return system_error("setns", "enter the network namespace");
  return {};
}

}  // namespace

Result<Home> Home::here(std::shared_ptr<Desk> desk) {
  auto place = Namespace::open(own_namespace);
  if (!place) return place.error();
  const bool returnable = setns(place.value().fd(), CLONE_NEWNET) == 0;
  return Home(std::move(place.value()), std::move(desk), returnable);
}

Result<void> Home::away(const std::function<Result<void>()>& leave, const std::function<void()>& task) {
  Result<void> left;
  if (!returnable_) {
    try {
      std::thread([&] {
        left = leave();
        if (left) task();
      }).join();
    } catch (const std::system_error& failure) {
      return Error{.code = failure.code().value(),
                   .syscall = "clone",
                   .step = "a thread to enter the namespace",
                   .extack = {},
                   .attribute = {}};
    }
    return left;
  }
  left = leave();
  if (!left) return left;
  task();
  lost_ = setns(place_.fd(), CLONE_NEWNET) != 0;
  return {};
}

Result<void> Home::visit(const Namespace& target, const std::function<void()>& task) {
  if (!lost_ && target.same(place_)) {
    task();
    return {};
  }
  return away([&] { return enter(target); }, task);
}

Result<Namespace> Home::create(const std::function<Result<void>(Namespace&)>& task) {
  Result<Namespace> made = Error{};
  auto left = away(
      [&]() -> Result<void> {
        if (unshare(CLONE_NEWNET) != 0) return system_error("unshare", "make a network namespace");
        return {};
      },
      [&] {
        made = Namespace::open(own_namespace);
        if (!made) return;
        if (auto done = task(made.value()); !done) made = done.error();
      });
  if (!left) return left.error();
  return made;
}

}  // namespace netlink_ct
