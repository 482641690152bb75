// The addon's surface: flat functions over handles. lib/native.ts declares them, with what each means.
#include <napi.h>

#include "node/functions.h"

namespace netlink_ct::node {
namespace {

Napi::Object start(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment);  // NOLINT(cppcoreguidelines-owning-memory): Node deletes it with the environment
  export_netns(env, exports);
  export_netlink(env, exports);
  export_container(env, exports);
  export_watch(env, exports);
  export_trace(env, exports);
  return exports;
}

}  // namespace
}  // namespace netlink_ct::node

static Napi::Object initialize(Napi::Env env, Napi::Object exports) { return netlink_ct::node::start(env, exports); }

NODE_API_MODULE(netlink_ct, initialize)
