#include "node/handle.h"

namespace netlink_ct::node {
namespace {

// Tells our Externals from those of other addons, whose pointers would be read as ours.
constexpr napi_type_tag tag{0x6e65746c696e6b63, 0x742d6e616d657370};

SharedNamespace& slot(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Napi::External<SharedNamespace>>().CheckTypeTag(&tag)) {
    throw Napi::TypeError::New(value.Env(), "netlink-ct: not a namespace handle");
  }
  return *value.As<Napi::External<SharedNamespace>>().Data();
}

}  // namespace

Napi::Value wrap(Napi::Env env, SharedNamespace shared) {
  auto owned = std::make_unique<SharedNamespace>(std::move(shared));
  // Throws in a worker that is being terminated: the namespace must not stay open then.
  auto external = Napi::External<SharedNamespace>::New(
      env, owned.get(), [](Napi::Env, SharedNamespace* old) { const std::unique_ptr<SharedNamespace> gone(old); });
  static_cast<void>(owned.release());
  external.TypeTag(&tag);
  return external;
}

SharedNamespace unwrap(const Napi::Value& value) {
  SharedNamespace shared = slot(value);
  if (!shared) throw Napi::TypeError::New(value.Env(), "netlink-ct: the namespace handle is closed");
  return shared;
}

void close(const Napi::Value& value) { slot(value).reset(); }

}  // namespace netlink_ct::node
