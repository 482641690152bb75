// The one thread of an environment that listens to the kernel: it reads, decodes and queues; JavaScript is woken once for many
// messages and takes them all.
#pragma once

#include <napi.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "core/netlink/monitor.h"

namespace netlink_ct::node {

// What a watcher has to say, in the order of the kernel.
struct Batch {
  std::deque<News> news;
  bool lost = false;           // behind the last of `news`
  std::optional<Error> error;  // behind everything; the watcher says nothing more
};

class Listener {
 public:
  explicit Listener(Napi::Env env);
  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  using Id = uint64_t;

  // All of these on the JavaScript thread. `wake` is called when there is something to take, and once until it is taken.
  // `room` messages may wait here; then the socket is left alone, and what comes waits in the kernel's buffer or is lost there.
  Result<Id> add(Napi::Env env, Monitor monitor, size_t room, Napi::Function wake);
  Batch take(Id id);
  // Whether the watcher keeps the process alive; it does from the start.
  void keep_alive(Napi::Env env, Id id, bool on);
  void remove(Napi::Env env, Id id);

  // Joins the thread and closes the sockets. For the environment's cleanup hook.
  void stop();

  [[nodiscard]] size_t watchers() const noexcept { return subscribers_.size(); }
  [[nodiscard]] uint64_t losses() const noexcept { return losses_; }

 private:
  // Shared between the two threads.
  struct Watcher {
    Watcher(Monitor opened, size_t wanted) : monitor(std::move(opened)), room(wanted) {}

    Monitor monitor;  // listening thread only
    size_t room;
    std::mutex mutex;
    Batch batch;           // guarded by mutex
    bool paused = false;   // guarded by mutex: not in the epoll set
    bool ready = false;    // guarded by mutex: JavaScript is to be told
    bool removed = false;  // guarded by mutex
  };
  // JavaScript thread only.
  struct Subscriber {
    std::shared_ptr<Watcher> watcher;
    Napi::FunctionReference wake;
    bool keeps_alive;
  };

  static void awake(Napi::Env env, Napi::Function callback, Listener* self, void*);
  using Waker = Napi::TypedThreadSafeFunction<Listener, void, &Listener::awake>;

  void loop();
  void listen(Watcher& watcher);
  bool arm(const Watcher& watcher, Id id) const;
  void disarm(const Watcher& watcher) const;
  void count_alive(Napi::Env env, bool on);

  Waker waker_;
  Fd epoll_;
  Fd stop_;
  std::atomic<bool> woken_ = false;
  std::atomic<uint64_t> losses_ = 0;
  std::mutex mutex_;
  std::map<Id, std::shared_ptr<Watcher>> watchers_;  // guarded by mutex_
  std::map<Id, Subscriber> subscribers_;             // JavaScript thread only
  Id last_ = 0;                                      // JavaScript thread only; 0 is the way to stop the thread
  size_t alive_ = 0;                                 // JavaScript thread only
  std::thread thread_;
};

}  // namespace netlink_ct::node
