// Watchers in JavaScript's hands: numbers that only their own environment knows.
#include <linux/netlink.h>

#include <memory>

#include "core/netlink/socket.h"
#include "node/functions.h"
#include "node/monitor.h"

namespace netlink_ct::node {
namespace {

Listener::Id id_of(const Napi::Value& value) { return static_cast<Listener::Id>(value.As<Napi::Number>().Int64Value()); }

// The socket is opened inside by the executor; from then on the listening thread has it.
Napi::Value watch(const Napi::CallbackInfo& info) {
  const SharedNamespace target = unwrap(info[0]);
  const Value given = unpacked(info[1]);
  const Fields options(info.Env(), given);
  const Monitor::Options wanted{.groups = options.numbers("groups"),
                                .all_namespaces = options.truth("allNamespaces"),
                                .receive_queue = static_cast<int>(options.number("receiveBuffer"))};
  const size_t room = options.number("maxQueue");
  const int protocol = options.truth("netfilter") ? NETLINK_NETFILTER : NETLINK_ROUTE;
  auto wake = std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[2].As<Napi::Function>()));
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<Monitor>(
          info.Env(),
          [target, wanted, protocol](Home& home) -> Result<Monitor> {
            Result<Monitor> opened = Error{};
            auto visited = home.visit(*target, [&] { opened = Monitor::open(protocol, wanted); });
            if (!visited) return visited.error();
            return opened;
          },
          [room, wake](Napi::Env env, Monitor& monitor) -> Napi::Value {
            auto added = Environment::of(env).listener(env).add(env, std::move(monitor), room, wake->Value());
            // The promise resolves all the same: lib/ tells a refusal by its type.
            if (!added) return error_to_js(env, added.error());
            return Napi::Number::New(env, static_cast<double>(added.value()));
          });
}

Napi::Value take(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Batch batch = Environment::of(env).listener(env).take(id_of(info[0]));
  Packer packer;
  packer.begin_list(batch.news.size());
  for (const News& one : batch.news) {
    const size_t token = packer.begin_object();
    packer.add_name("type").add_text(one.type->name);
    packer.add_name("flags").add_integer(one.flags);
    if (one.nsid) packer.add_name("nsid").add_integer(*one.nsid);
    packer.add_name("body").add_packed(one.body);
    packer.end(token, one.nsid ? 4 : 3);
  }
  auto out = Napi::Object::New(env);
  out.Set("news", packed(env, packer.bytes()));
  out.Set("lost", batch.lost);
  if (batch.error) out.Set("error", error_to_js(env, *batch.error));
  return out;
}

Napi::Value keep_alive(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).listener(info.Env()).keep_alive(info.Env(), id_of(info[0]), info[1].ToBoolean());
  return info.Env().Undefined();
}

Napi::Value unwatch(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).listener(info.Env()).remove(info.Env(), id_of(info[0]));
  return info.Env().Undefined();
}

Napi::Value listening(const Napi::CallbackInfo& info) {
  const Listener* listener = Environment::of(info.Env()).started_listener();
  auto out = Napi::Object::New(info.Env());
  out.Set("watchers", Napi::Number::New(info.Env(), listener == nullptr ? 0 : static_cast<double>(listener->watchers())));
  out.Set("losses", Napi::Number::New(info.Env(), listener == nullptr ? 0 : static_cast<double>(listener->losses())));
  out.Set("sockets",
          Napi::Number::New(info.Env(), static_cast<double>(Environment::of(info.Env()).executor(info.Env()).open_sockets())));
  return out;
}

}  // namespace

void export_watch(Napi::Env env, Napi::Object exports) {
  add(env, exports, "watch", watch);
  add(env, exports, "take", take);
  add(env, exports, "keepAlive", keep_alive);
  add(env, exports, "unwatch", unwatch);
  add(env, exports, "listening", listening);
}

}  // namespace netlink_ct::node
