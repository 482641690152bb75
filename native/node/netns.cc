// Namespaces and what is read and written inside them without netlink.
#include <fcntl.h>
#include <sched.h>

#include <cstdlib>

#include "core/netns/inet_socket.h"
#include "core/netns/mount.h"
#include "core/netns/sysctl.h"
#include "core/netns/tun.h"
#include "node/functions.h"

namespace netlink_ct::node {
namespace {

SharedNamespace shared(Namespace&& value) { return std::make_shared<Namespace>(std::move(value)); }

Napi::Value wrapped(Napi::Env env, SharedNamespace& value) { return wrap(env, std::move(value)); }

[[noreturn]] void throw_data(Napi::Env env, const Error& error) { throw Napi::Error(env, error_to_js(env, error)); }

Napi::Value home(const Napi::CallbackInfo& info) {
  auto& here = Environment::of(info.Env()).home();
  if (!here) throw_data(info.Env(), here.error());
  Fd copy(fcntl(here.value().place().fd(), F_DUPFD_CLOEXEC, 0));
  if (!copy) throw_data(info.Env(), system_error("fcntl"));
  auto adopted = Namespace::adopt(std::move(copy));
  if (!adopted) throw_data(info.Env(), adopted.error());
  return wrap(info.Env(), shared(std::move(adopted.value())));
}

// The copy is taken at once: the caller may close its own before the executor comes to it.
Napi::Value adopt(const Napi::CallbackInfo& info) {
  Fd copy(fcntl(info[0].As<Napi::Number>().Int32Value(), F_DUPFD_CLOEXEC, 0));
  if (!copy) throw_data(info.Env(), system_error("fcntl"));
  auto adopted = Namespace::adopt(std::move(copy));
  if (!adopted) throw_data(info.Env(), adopted.error());
  return wrap(info.Env(), shared(std::move(adopted.value())));
}

Napi::Value open(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<SharedNamespace>(
          info.Env(),
          [path](Home&) -> Result<SharedNamespace> {
            auto opened = Namespace::open(path.c_str());
            if (!opened) return opened.error();
            return shared(std::move(opened.value()));
          },
          wrapped);
}

Napi::Value create(const Napi::CallbackInfo& info) {
  const std::string name = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : std::string();
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<SharedNamespace>(
          info.Env(),
          [name](Home& thread_home) -> Result<SharedNamespace> {
            auto created = thread_home.create([](Namespace&) { return Result<void>(); });
            if (!created) return created.error();
            if (!name.empty()) {
              if (auto bound = bind_name(created.value(), name); !bound) return bound.error();
            }
            return shared(std::move(created.value()));
          },
          wrapped);
}

Napi::Value unbind(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  return Environment::of(info.Env()).executor(info.Env()).submit(info.Env(), [name](Home&) { return unbind_name(name); });
}

Napi::Value bind(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  const std::string name = info[1].As<Napi::String>().Utf8Value();
  return Environment::of(info.Env()).executor(info.Env()).submit(info.Env(), [target, name](Home&) {
    return bind_name(*target, name);
  });
}

Napi::Value describe(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  auto out = Napi::Object::New(info.Env());
  out.Set("inode", Napi::BigInt::New(info.Env(), uint64_t{target->inode()}));
  out.Set("fd", Napi::Number::New(info.Env(), target->fd()));
  return out;
}

Napi::Value close_handle(const Napi::CallbackInfo& info) {
  close(info[0]);
  return info.Env().Undefined();
}

Napi::Value get_sysctl(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  const std::string path = info[1].As<Napi::String>().Utf8Value();
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<std::string>(
          info.Env(), [target, path](Home& thread_home) { return read_sysctl(thread_home, *target, path); },
          [](Napi::Env env, std::string& text) -> Napi::Value { return Napi::String::New(env, text); });
}

Napi::Value set_sysctl(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  const std::string path = info[1].As<Napi::String>().Utf8Value();
  const std::string value = info[2].As<Napi::String>().Utf8Value();
  return Environment::of(info.Env()).executor(info.Env()).submit(info.Env(), [target, path, value](Home& thread_home) {
    return write_sysctl(thread_home, *target, path, value);
  });
}

// Resolves to a descriptor that is the caller's to close.
Napi::Value socket(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  const Value given = unpacked(info[1]);
  const Fields options(info.Env(), given);
  SocketRequest request;
  request.transport = options.text("transport") == "udp" ? Transport::udp : Transport::tcp;
  request.local = {options.bytes("address"), static_cast<uint16_t>(options.number("port"))};
  request.bound = options.truth("bound");
  request.dual = options.truth("dual");
  request.receive_buffer = static_cast<int>(options.number("receiveBuffer"));
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<Fd>(
          info.Env(), [target, request](Home& thread_home) { return open_inet_socket(thread_home, *target, request); },
          [](Napi::Env env, Fd& fd) -> Napi::Value { return Napi::Number::New(env, fd.release()); });
}

template <typename Id>
std::optional<Id> optional_id(const Fields& options, const char* name) {
  if (options.find(name) == nullptr) return std::nullopt;
  return Id{options.number(name)};
}

// Resolves to the device's index and a descriptor that is the caller's to close. A persistent device keeps none.
Napi::Value open_tun_device(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  const Value given = unpacked(info[1]);
  const Fields options(info.Env(), given);
  const TunRequest request{.name = options.text("name"),
                           .mode = options.text("mode") == "tap" ? TunMode::tap : TunMode::tun,
                           .index = static_cast<int>(options.number("index")),
                           .attach = options.truth("attach"),
                           .multi_queue = options.truth("multiQueue"),
                           .packet_information = options.truth("packetInformation"),
                           .vnet_header = options.truth("vnetHeader"),
                           .owner = optional_id<uid_t>(options, "owner"),
                           .owner_group = optional_id<gid_t>(options, "ownerGroup"),
                           .persistent = options.truth("persistent")};
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<Tun>(
          info.Env(),
          [target, request](Home& thread_home) -> Result<Tun> {
            auto opened = open_tun(thread_home, *target, request);
            if (opened && request.persistent) opened.value().fd = Fd();
            return opened;
          },
          [](Napi::Env env, Tun& tun) -> Napi::Value {
            auto out = Napi::Object::New(env);
            out.Set("fd", Napi::Number::New(env, tun.fd.release()));
            out.Set("index", Napi::Number::New(env, tun.index));
            return out;
          });
}

// Runs a synchronous function with the JavaScript thread inside the namespace, so that what it forks is born there.
Napi::Value inside(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const SharedNamespace target = unwrap(info[0]);
  const auto body = info[1].As<Napi::Function>();
  auto& here = Environment::of(env).home();
  if (!here) throw_data(env, here.error());
  const int back = here.value().place().fd();
  if (target->same(here.value().place())) return body.Call({});
  // Whether there is a way back is tried before leaving: a JavaScript thread in the wrong namespace would be worse than an error.
  if (setns(back, CLONE_NEWNET) != 0) throw_data(env, system_error("setns", "come back to the own network namespace"));
  if (setns(target->fd(), CLONE_NEWNET) != 0) throw_data(env, system_error("setns", "enter the network namespace"));
  struct Return {
    int fd;
    ~Return() {
      if (setns(fd, CLONE_NEWNET) != 0) std::abort();
    }
  };
  const Return at_end{back};
  return body.Call({});
}

}  // namespace

void export_netns(Napi::Env env, Napi::Object exports) {
  add(env, exports, "home", home);
  add(env, exports, "adopt", adopt);
  add(env, exports, "open", open);
  add(env, exports, "create", create);
  add(env, exports, "bind", bind);
  add(env, exports, "unbind", unbind);
  add(env, exports, "describe", describe);
  add(env, exports, "close", close_handle);
  add(env, exports, "getSysctl", get_sysctl);
  add(env, exports, "setSysctl", set_sysctl);
  add(env, exports, "socket", socket);
  add(env, exports, "openTun", open_tun_device);
  add(env, exports, "inside", inside);
}

}  // namespace netlink_ct::node
