#include "node/environment.h"

namespace netlink_ct::node {

Executor& Environment::executor(Napi::Env env) {
  if (!executor_) {
    executor_ = std::make_unique<Executor>(env);
    env.AddCleanupHook([](Executor* executor) { executor->stop(); }, executor_.get());
  }
  return *executor_;
}

Listener& Environment::listener(Napi::Env env) {
  if (!listener_) {
    listener_ = std::make_unique<Listener>(env);
    env.AddCleanupHook([](Listener* listener) { listener->stop(); }, listener_.get());
  }
  return *listener_;
}

Result<Home>& Environment::home() {
  if (!home_) home_ = std::make_unique<Result<Home>>(Home::here());
  return *home_;
}

}  // namespace netlink_ct::node
