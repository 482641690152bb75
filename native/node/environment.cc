#include "node/environment.h"

namespace netlink_ct::node {

Executor& Environment::executor(Napi::Env env) {
  if (!executor_) {
    executor_ = std::make_unique<Executor>(env);
    env.AddCleanupHook([](Executor* executor) { executor->stop(); }, executor_.get());
  }
  return *executor_;
}

Result<Home>& Environment::home() {
  if (!home_) home_ = std::make_unique<Result<Home>>(Home::here());
  return *home_;
}

}  // namespace netlink_ct::node
