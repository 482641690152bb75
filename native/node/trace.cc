// For those who look at the library at work: a message's bytes as they are sent, and what is read from bytes.
#include <linux/netlink.h>

#include <algorithm>

#include "core/netlink/codec.h"
#include "core/netlink/registry.h"
#include "node/functions.h"

namespace netlink_ct::node {
namespace {

// Undefined for what cannot be encoded: its operation will say why.
Napi::Value encoded(const Napi::CallbackInfo& info) {
  const Value value = unpacked(info[0]);
  const Fields request(info.Env(), value);
  const MessageType* type = message_type(request.text("type"));
  if (type == nullptr) return info.Env().Undefined();
  MessageBuffer message;
  message.start(type->number, static_cast<uint16_t>(NLM_F_REQUEST | request.number("flags")), 0);
  if (!encode(message, *type->schema, request.nested("body").object())) return info.Env().Undefined();
  const auto bytes = message.bytes();
  auto out = Napi::Uint8Array::New(info.Env(), bytes.size());
  std::ranges::copy(bytes, out.Data());
  return out;
}

// Throws on a type that this library does not speak, and on bytes that are no such message.
Napi::Value decoded(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const MessageType* type = message_type(name);
  if (type == nullptr) throw Napi::TypeError::New(info.Env(), "no message type " + name);
  const auto bytes = info[1].As<Napi::Uint8Array>();
  Packer body;
  auto done = decode(body, *type->schema, {bytes.Data(), bytes.ByteLength()}, Unknown::keep);
  if (!done) throw Napi::RangeError::New(info.Env(), name + ": " + done.error().note + " in " + done.error().attribute);
  return packed(info.Env(), body.bytes());
}

}  // namespace

void export_trace(Napi::Env env, Napi::Object exports) {
  add(env, exports, "encoded", encoded);
  add(env, exports, "decoded", decoded);
}

}  // namespace netlink_ct::node
