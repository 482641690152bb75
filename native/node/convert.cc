#include "node/convert.h"

#include <linux/netlink.h>

#include <algorithm>

namespace netlink_ct::node {
namespace {

[[noreturn]] void refuse(Napi::Env env, const std::string& what) { throw Napi::TypeError::New(env, "netlink-ct: " + what); }

// The kernel gives all limits in 64 bits; those of a 64-bit attribute are bigint, the rest fit a number.
Napi::Object policy_to_js(Napi::Env env, const Policy& policy) {
  // Beyond bitfield32 are sint and uint (Linux 6.7), of 32 or 64 bits.
  const bool wide = policy.type == NL_ATTR_TYPE_U64 || policy.type == NL_ATTR_TYPE_S64 || policy.type > NL_ATTR_TYPE_BITFIELD32;
  auto out = Napi::Object::New(env);
  const auto set = [&](const char* name, const auto& number) {
    if (!number) return;
    if (wide) {
      out.Set(name, Napi::BigInt::New(env, *number));
    } else {
      out.Set(name, Napi::Number::New(env, static_cast<double>(*number)));
    }
  };
  const auto set_length = [&](const char* name, const std::optional<uint32_t>& length) {
    if (length) out.Set(name, Napi::Number::New(env, *length));
  };
  out.Set("type", policy_type(policy.type));
  set("min", policy.min);
  set("max", policy.max);
  set("min", policy.signed_min);
  set("max", policy.signed_max);
  set("mask", policy.mask);
  set_length("minLength", policy.min_length);
  set_length("maxLength", policy.max_length);
  return out;
}

}  // namespace

Napi::Object error_to_js(Napi::Env env, const Error& error) {
  auto out = Napi::Object::New(env);
  out.Set("errno", Napi::Number::New(env, error.code));
  out.Set("syscall", error.syscall);
  if (!error.step.empty()) out.Set("step", error.step);
  if (!error.extack.empty()) out.Set("extack", error.extack);
  if (!error.attribute.empty()) out.Set("attribute", error.attribute);
  if (error.index >= 0) out.Set("index", Napi::Number::New(env, error.index));
  if (!error.missing.empty()) out.Set("missing", error.missing);
  if (error.policy) out.Set("policy", policy_to_js(env, *error.policy));
  if (!error.note.empty()) out.Set("note", error.note);
  return out;
}

Napi::Object warning_to_js(Napi::Env env, const Warning& warning) {
  auto out = Napi::Object::New(env);
  out.Set("message", warning.message);
  if (!warning.attribute.empty()) out.Set("attribute", warning.attribute);
  return out;
}

Napi::Value transcript_to_js(Napi::Env env, const std::vector<Sent>& sent) {
  Packer packer;
  packer.begin_list(sent.size());
  for (const Sent& one : sent) {
    packer.add(Object{
        {"netns", one.netns}, {"type", one.type}, {"flags", int64_t{one.flags}}, {"bytes", one.bytes}, {"step", one.step}});
  }
  return packed(env, packer.bytes());
}

// As { count, refusals: [position, error, …], warnings: [position, warning, …], replies }: most have nothing to say. `replies` is
// a packed list of [position, reply, …], and undefined when there is none.
Napi::Object outcomes_to_js(Napi::Env env, const std::vector<Outcome>& outcomes) {
  auto out = Napi::Object::New(env);
  auto refusals = Napi::Array::New(env);
  auto warnings = Napi::Array::New(env);
  size_t replies = 0;
  for (size_t position = 0; position < outcomes.size(); ++position) {
    const Outcome& outcome = outcomes[position];
    const auto append = [&](Napi::Array& array, Napi::Object what) {
      const uint32_t length = array.Length();
      array.Set(length, Napi::Number::New(env, static_cast<double>(position)));
      array.Set(length + 1, what);
    };
    if (outcome.error) append(refusals, error_to_js(env, *outcome.error));
    if (outcome.warning) append(warnings, warning_to_js(env, *outcome.warning));
    replies += outcome.replies.size();
  }
  out.Set("count", Napi::Number::New(env, static_cast<double>(outcomes.size())));
  out.Set("refusals", refusals);
  out.Set("warnings", warnings);
  if (replies == 0) return out;
  Packer packer;
  packer.begin_list(2 * replies);
  for (size_t position = 0; position < outcomes.size(); ++position) {
    for (const Bytes& reply : outcomes[position].replies) {
      packer.add_integer(static_cast<int64_t>(position));
      packer.add_packed(reply);
    }
  }
  out.Set("replies", packed(env, packer.bytes()));
  return out;
}

Value unpacked(const Napi::Value& bytes) {
  if (!bytes.IsTypedArray() || bytes.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    refuse(bytes.Env(), "not bytes");
  const auto array = bytes.As<Napi::Uint8Array>();
  auto value = unpack({array.Data(), array.ByteLength()});
  if (!value) refuse(bytes.Env(), "bytes that are no value");
  return std::move(*value);
}

Napi::Value packed(Napi::Env env, std::span<const uint8_t> bytes) {
  auto array = Napi::Uint8Array::New(env, bytes.size());
  std::ranges::copy(bytes, array.Data());
  return array;
}

Fields::Fields(Napi::Env env, const Value& value) : env_(env), object_(value.get<Object>()) {
  if (object_ == nullptr) refuse(env, "not an object");
}

template <typename T>
const T& Fields::member(const char* name) const {
  const Value* value = find(name);
  const T* typed = value == nullptr ? nullptr : value->get<T>();
  if (typed == nullptr) refuse(env_, std::string("wrong type: ") + name);
  return *typed;
}

template <typename T>
std::vector<T> Fields::items(const char* name) const {
  std::vector<T> found;
  for (const Value& item : list(name)) {
    const T* typed = item.get<T>();
    if (typed == nullptr) refuse(env_, std::string("wrong type in ") + name);
    found.push_back(*typed);
  }
  return found;
}

Fields Fields::nested(const char* name) const {
  const Value* value = find(name);
  if (value == nullptr) refuse(env_, std::string("wrong type: ") + name);
  return {env_, *value};
}

std::string Fields::text(const char* name) const { return member<std::string>(name); }
uint32_t Fields::number(const char* name) const { return static_cast<uint32_t>(member<int64_t>(name)); }
bool Fields::truth(const char* name) const { return member<bool>(name); }
Bytes Fields::bytes(const char* name) const { return member<Bytes>(name); }
const List& Fields::list(const char* name) const { return member<List>(name); }
std::vector<Bytes> Fields::bytes_list(const char* name) const { return items<Bytes>(name); }
std::vector<std::string> Fields::texts(const char* name) const { return items<std::string>(name); }

std::vector<uint32_t> Fields::numbers(const char* name) const {
  std::vector<uint32_t> numbers;
  for (const int64_t number : items<int64_t>(name)) numbers.push_back(static_cast<uint32_t>(number));
  return numbers;
}

}  // namespace netlink_ct::node
