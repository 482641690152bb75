#include "node/monitor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

namespace netlink_ct::node {
namespace {

// Datagrams of one watcher before the others have their turn.
constexpr int turn = 64;

}  // namespace

Listener::Listener(Napi::Env env)
    : waker_(Waker::New(env, "netlink-ct watch", 0, 1, this)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  waker_.Unref(env);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event);
  thread_ = std::thread([this] { loop(); });
}

Result<Listener::Id> Listener::add(Napi::Env env, Monitor monitor, size_t room, Napi::Function wake) {
  const Id id = ++last_;
  auto watcher = std::make_shared<Watcher>(std::move(monitor), room);
  {
    const std::lock_guard lock(mutex_);
    watchers_.emplace(id, watcher);
  }
  if (!arm(*watcher, id)) {
    const Error error = system_error("epoll_ctl");
    const std::lock_guard lock(mutex_);
    watchers_.erase(id);
    return error;
  }
  subscribers_.emplace(id, Subscriber{watcher, Napi::Persistent(wake), true});
  count_alive(env, true);
  return id;
}

Batch Listener::take(Id id) {
  const auto found = subscribers_.find(id);
  if (found == subscribers_.end()) return {};
  Watcher& watcher = *found->second.watcher;
  const std::lock_guard lock(watcher.mutex);
  Batch batch = std::exchange(watcher.batch, Batch{});
  watcher.ready = false;
  if (watcher.paused && !watcher.removed && !batch.error) watcher.paused = !arm(watcher, id);
  // An error stays: whoever asks again hears it again.
  watcher.batch.error = batch.error;
  return batch;
}

void Listener::keep_alive(Napi::Env env, Id id, bool on) {
  const auto found = subscribers_.find(id);
  if (found == subscribers_.end() || found->second.keeps_alive == on) return;
  found->second.keeps_alive = on;
  count_alive(env, on);
}

void Listener::remove(Napi::Env env, Id id) {
  keep_alive(env, id, false);
  const auto found = subscribers_.find(id);
  if (found == subscribers_.end()) return;
  {
    Watcher& watcher = *found->second.watcher;
    const std::lock_guard lock(watcher.mutex);
    watcher.removed = true;
    if (!watcher.paused) disarm(watcher);
    watcher.paused = true;
    watcher.batch = {};
  }
  {
    const std::lock_guard lock(mutex_);
    watchers_.erase(id);
  }
  subscribers_.erase(found);
}

void Listener::count_alive(Napi::Env env, bool on) {
  if (on && alive_++ == 0) waker_.Ref(env);
  if (!on && --alive_ == 0) waker_.Unref(env);
}

bool Listener::arm(const Watcher& watcher, Id id) const {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = id}};
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watcher.monitor.fd(), &event) == 0;
}

// Taken out of the set altogether: an armed socket with a pending ENOBUFS wakes the thread whatever it waits for.
void Listener::disarm(const Watcher& watcher) const { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watcher.monitor.fd(), nullptr); }

void Listener::awake(Napi::Env env, Napi::Function, Listener* self, void*) {
  if (env == nullptr) return;  // the environment is going
  self->woken_ = false;
  const Napi::HandleScope scope(env);
  // A callback may remove any of them: the list is made before the first is called.
  std::vector<Id> ready;
  for (const auto& [id, subscriber] : self->subscribers_) {
    const std::lock_guard lock(subscriber.watcher->mutex);
    if (subscriber.watcher->ready) ready.push_back(id);
  }
  for (const Id id : ready) {
    const auto found = self->subscribers_.find(id);
    if (found != self->subscribers_.end()) found->second.wake.Call({});
  }
}

void Listener::loop() {
  std::array<epoll_event, 16> events{};
  for (;;) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int at = 0; at < count; ++at) {
      const Id id = events[static_cast<size_t>(at)].data.u64;
      if (id == 0) return;
      std::shared_ptr<Watcher> watcher;
      {
        const std::lock_guard lock(mutex_);
        const auto found = watchers_.find(id);
        if (found != watchers_.end()) watcher = found->second;
      }
      if (watcher) listen(*watcher);
    }
  }
}

void Listener::listen(Watcher& watcher) {
  std::vector<News> news;
  bool lost = false;
  std::optional<Error> error;
  size_t room = 0;
  {
    const std::lock_guard lock(watcher.mutex);
    if (watcher.paused) return;
    room = watcher.room - std::min(watcher.room, watcher.batch.news.size());
  }
  for (int datagram = 0; datagram < turn && news.size() < room && !lost && !error; ++datagram) {
    auto reading = watcher.monitor.read(news);
    if (!reading) {
      error = reading.error();
    } else if (reading.value() == Monitor::Reading::nothing) {
      break;
    } else if (reading.value() == Monitor::Reading::lost) {
      lost = true;
      ++losses_;
    }
  }
  const std::lock_guard lock(watcher.mutex);
  if (watcher.removed) return;
  Batch& batch = watcher.batch;
  std::ranges::move(news, std::back_inserter(batch.news));
  batch.lost = batch.lost || lost;
  batch.error = error;
  // A loss ends a batch: it stands behind the news that came before it, and what comes after waits for the next one.
  if (batch.lost || batch.error || batch.news.size() >= watcher.room) {
    disarm(watcher);
    watcher.paused = true;
  }
  const bool something = !batch.news.empty() || batch.lost || batch.error;
  if (something && !watcher.ready) {
    watcher.ready = true;
    if (!woken_.exchange(true)) waker_.NonBlockingCall();
  }
}

void Listener::stop() {
  const uint64_t one = 1;
  static_cast<void>(::write(stop_.get(), &one, sizeof one));
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  watchers_.clear();
  subscribers_.clear();
}

}  // namespace netlink_ct::node
