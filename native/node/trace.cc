// For those who look at the library at work: a message's bytes as they are sent.
#include <linux/netlink.h>

#include <algorithm>

#include "core/netlink/codec.h"
#include "core/netlink/registry.h"
#include "node/functions.h"

namespace netlink_ct::node {
namespace {

// Undefined for what cannot be encoded: its operation will say why.
Napi::Value encoded(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  const MessageType* type = message_type(text_member(object, "type"));
  if (type == nullptr) return info.Env().Undefined();
  MessageBuffer message;
  message.start(type->number, static_cast<uint16_t>(NLM_F_REQUEST | number_member(object, "flags")), 0);
  if (!encode(message, *type->schema, to_object(object.Get("body")))) return info.Env().Undefined();
  const auto bytes = message.bytes();
  auto out = Napi::Uint8Array::New(info.Env(), bytes.size());
  std::ranges::copy(bytes, out.Data());
  return out;
}

}  // namespace

void export_trace(Napi::Env env, Napi::Object exports) { add(env, exports, "encoded", encoded); }

}  // namespace netlink_ct::node
