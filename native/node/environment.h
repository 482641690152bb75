// What the addon keeps for one environment (the main thread, or a worker). Nothing is global.
#pragma once

#include <napi.h>

#include <memory>

#include "node/executor.h"
#include "node/monitor.h"

namespace netlink_ct::node {

class Environment {
 public:
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // Started with the first job; joined by a cleanup hook, which runs at a natural end and at worker.terminate(). At
  // process.exit() no hook runs, and the thread ends with the process.
  Executor& executor(Napi::Env env);

  // The same for the thread that listens: started with the first watcher.
  Listener& listener(Napi::Env env);
  [[nodiscard]] const Listener* started_listener() const noexcept { return listener_.get(); }

  // Where the JavaScript thread lives, with the way back from enter().
  Result<Home>& home();

 private:
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Result<Home>> home_;
};

}  // namespace netlink_ct::node
