#include "node/executor.h"

#include "node/descriptors.h"

namespace netlink_ct::node {

Executor::Executor(Napi::Env env) : settler_(Settler::New(env, "netlink-ct", 0, 1, this)) {
  // It keeps the process alive only while promises are pending.
  settler_.Unref(env);
  // Nobody waits for it, it holds nothing of ours, and at process.exit() nobody could join it.
  std::thread(reserve_descriptors).detach();
  thread_ = std::thread([this] { loop(); });
}

Napi::Promise Executor::submit(Napi::Env env, std::function<Result<void>(Home&)> work, bool transcribed) {
  struct Nothing {};
  return submit<Nothing>(
      env,
      [work = std::move(work)](Home& home) -> Result<Nothing> {
        auto done = work(home);
        if (!done) return done.error();
        return Nothing{};
      },
      [](Napi::Env inner, Nothing&) -> Napi::Value { return inner.Undefined(); }, transcribed);
}

Napi::Promise Executor::enqueue(Napi::Env env, std::unique_ptr<Job> job) {
  const Napi::Promise promise = job->promise();
  if (pending_++ == 0) settler_.Ref(env);
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return promise;
}

void Executor::settle(Napi::Env env, Napi::Function, Executor* self, Job* raw) {
  const std::unique_ptr<Job> job(raw);
  if (env == nullptr) return;  // the environment is going and its queue is flushed: free, touch no JavaScript
  const Napi::HandleScope scope(env);
  if (--self->pending_ == 0) self->settler_.Unref(env);
  job->settle(env);
}

void Executor::loop() {
  auto home = Home::here(desk_);
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job->run(home);
    if (settler_.NonBlockingCall(job.get()) == napi_ok) static_cast<void>(job.release());
  }
}

void Executor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  // Not the jobs' promises, which belong to an environment that is ending: what they hold in the kernel.
  const std::lock_guard lock(mutex_);
  queue_.clear();
}

size_t Executor::queued() {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace netlink_ct::node
