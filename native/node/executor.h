// The one thread of an environment that talks to the kernel: jobs in, promises out, in order.
#pragma once

#include <napi.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/netns/home.h"
#include "core/result.h"
#include "node/convert.h"

namespace netlink_ct::node {

// One unit of work: run() on the executor's thread, settle() on the JavaScript thread.
class Job {
 public:
  Job(Napi::Env env, bool transcribed) : transcribed_(transcribed), deferred_(Napi::Promise::Deferred::New(env)) {}
  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  void run(Result<Home>& home) {
    if (transcribed_ && home) home.value().desk()->transcript.emplace();
    work(home);
    if (transcribed_ && home) sent_ = std::exchange(home.value().desk()->transcript, std::nullopt).value();
  }
  virtual void settle(Napi::Env env) = 0;
  [[nodiscard]] Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  virtual void work(Result<Home>& home) = 0;

  // A job whose messages are transcribed always resolves, with { sent, value } or { sent, error }.
  bool transcribed_;
  std::vector<Sent> sent_;
  Napi::Promise::Deferred deferred_;
};

template <typename T>
class Task final : public Job {
 public:
  using Work = std::function<Result<T>(Home&)>;
  using Convert = std::function<Napi::Value(Napi::Env, T&)>;

  Task(Napi::Env env, Work work, Convert convert, bool transcribed)
      : Job(env, transcribed), work_(std::move(work)), convert_(std::move(convert)) {}

  // Rejects with plain data: the Error object is made in JavaScript after the await, so that it carries the caller's stack.
  void settle(Napi::Env env) override {
    if (transcribed_) {
      auto out = Napi::Object::New(env);
      out.Set("sent", transcript_to_js(env, sent_));
      if (*outcome_) {
        out.Set("value", convert_(env, outcome_->value()));
      } else {
        out.Set("error", error_to_js(env, outcome_->error()));
      }
      deferred_.Resolve(out);
    } else if (*outcome_) {
      deferred_.Resolve(convert_(env, outcome_->value()));
    } else {
      deferred_.Reject(error_to_js(env, outcome_->error()));
    }
  }

 private:
  void work(Result<Home>& home) override {
    outcome_.emplace(home ? work_(home.value()) : Result<T>(home.error()));
    work_ = nullptr;  // lets go of the namespaces it held before the promise settles
  }

  Work work_;
  Convert convert_;
  std::optional<Result<T>> outcome_;
};

class Executor {
 public:
  explicit Executor(Napi::Env env);
  ~Executor() { stop(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  template <typename T>
  Napi::Promise submit(Napi::Env env, typename Task<T>::Work work, typename Task<T>::Convert convert, bool transcribed = false) {
    return enqueue(env, std::make_unique<Task<T>>(env, std::move(work), std::move(convert), transcribed));
  }

  // For work that yields nothing.
  Napi::Promise submit(Napi::Env env, std::function<Result<void>(Home&)> work, bool transcribed = false);

  // Lets the job in flight finish, drops the queue, joins the thread. For the environment's cleanup hook.
  void stop();

  [[nodiscard]] size_t queued();
  // Netlink sockets that its jobs have opened: each holds the desk, as do this object and the thread's Home.
  [[nodiscard]] long open_sockets() const noexcept { return std::max(desk_.use_count() - 2, 0L); }
  [[nodiscard]] size_t pending() const noexcept { return pending_; }

 private:
  static void settle(Napi::Env env, Napi::Function callback, Executor* self, Job* raw);
  using Settler = Napi::TypedThreadSafeFunction<Executor, Job, &Executor::settle>;

  Napi::Promise enqueue(Napi::Env env, std::unique_ptr<Job> job);
  void loop();

  Settler settler_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  size_t pending_ = 0;                      // JavaScript thread only
  const std::shared_ptr<Desk> desk_ = std::make_shared<Desk>();
  std::thread thread_;
};

}  // namespace netlink_ct::node
