#include "node/convert.h"

#include <linux/netlink.h>

#include <cmath>

namespace netlink_ct::node {
namespace {

[[noreturn]] void refuse(Napi::Env env, const std::string& what) { throw Napi::TypeError::New(env, "netlink-ct: " + what); }

Bytes bytes_of(const Napi::Value& value) {
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.Data() + array.ByteLength()};
}

Value integer_of(const Napi::Value& value) {
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::trunc(number) != number || std::abs(number) > 9007199254740991.0) refuse(value.Env(), "not a safe integer");
  return static_cast<int64_t>(number);
}

Value bigint_of(const Napi::Value& value) {
  bool lossless = false;
  const uint64_t number = value.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) refuse(value.Env(), "a bigint outside of 64 unsigned bits");
  return number;
}

List list_of(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  List list;
  list.reserve(array.Length());
  for (uint32_t index = 0; index < array.Length(); ++index) list.push_back(to_value(array.Get(index)));
  return list;
}

void require(bool condition, const Napi::Object& object, const char* name) {
  if (!condition) refuse(object.Env(), std::string("wrong type: ") + name);
}

}  // namespace

Value to_value(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined:
    case napi_null: return {};
    case napi_boolean: return value.As<Napi::Boolean>().Value();
    case napi_number: return integer_of(value);
    case napi_bigint: return bigint_of(value);
    case napi_string: return value.As<Napi::String>().Utf8Value();
    case napi_object:
      if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) return bytes_of(value);
      if (value.IsArray()) return list_of(value);
      return to_object(value);
    default: refuse(value.Env(), "a value that no message can carry");
  }
}

Object to_object(const Napi::Value& value) {
  if (!value.IsObject()) refuse(value.Env(), "not an object");
  const auto source = value.As<Napi::Object>();
  const Napi::Array names = source.GetPropertyNames();
  Object object;
  object.reserve(names.Length());
  for (uint32_t index = 0; index < names.Length(); ++index) {
    const Napi::Value name = names.Get(index);
    const Napi::Value field = source.Get(name);
    // What encoding leaves out anyway: most of a body's fields, for it names all that it may have.
    if (!field.IsUndefined()) object.emplace_back(name.ToString().Utf8Value(), to_value(field));
  }
  return object;
}

Napi::Value to_js(Napi::Env env, const Value& value) {
  struct Visitor {
    Napi::Env env;
    Napi::Value operator()(std::monostate) const { return env.Undefined(); }
    Napi::Value operator()(bool v) const { return Napi::Boolean::New(env, v); }
    Napi::Value operator()(int64_t v) const { return Napi::Number::New(env, static_cast<double>(v)); }
    Napi::Value operator()(uint64_t v) const { return Napi::BigInt::New(env, v); }
    Napi::Value operator()(const std::string& v) const { return Napi::String::New(env, v); }
    Napi::Value operator()(const Bytes& v) const {
      auto array = Napi::Uint8Array::New(env, v.size());
      std::copy(v.begin(), v.end(), array.Data());
      return array;
    }
    Napi::Value operator()(const List& v) const {
      auto array = Napi::Array::New(env, v.size());
      for (size_t index = 0; index < v.size(); ++index) array.Set(static_cast<uint32_t>(index), to_js(env, v[index]));
      return array;
    }
    Napi::Value operator()(const Object& v) const { return to_js(env, v); }
  };
  return std::visit(Visitor{env}, value.data);
}

Napi::Object to_js(Napi::Env env, const Object& object) {
  auto out = Napi::Object::New(env);
  for (const auto& [name, value] : object) out.Set(name, to_js(env, value));
  return out;
}

namespace {

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

Napi::Array outcomes_to_js(Napi::Env env, const std::vector<Outcome>& outcomes) {
  auto array = Napi::Array::New(env, outcomes.size());
  for (size_t index = 0; index < outcomes.size(); ++index) {
    const Outcome& outcome = outcomes[index];
    auto out = Napi::Object::New(env);
    if (outcome.error) out.Set("error", error_to_js(env, *outcome.error));
    if (outcome.warning) out.Set("warning", warning_to_js(env, *outcome.warning));
    auto replies = Napi::Array::New(env, outcome.replies.size());
    for (size_t at = 0; at < outcome.replies.size(); ++at)
      replies.Set(static_cast<uint32_t>(at), to_js(env, outcome.replies[at]));
    out.Set("replies", replies);
    array.Set(static_cast<uint32_t>(index), out);
  }
  return array;
}

std::string text_member(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  require(value.IsString(), object, name);
  return value.As<Napi::String>().Utf8Value();
}

uint32_t number_member(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  require(value.IsNumber(), object, name);
  return value.As<Napi::Number>().Uint32Value();
}

bool bool_member(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  require(value.IsBoolean(), object, name);
  return value.As<Napi::Boolean>().Value();
}

Bytes bytes_member(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  require(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array, object, name);
  return bytes_of(value);
}

Napi::Array array_member(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  require(value.IsArray(), object, name);
  return value.As<Napi::Array>();
}

std::vector<Bytes> bytes_list_member(const Napi::Object& object, const char* name) {
  const Napi::Array array = array_member(object, name);
  std::vector<Bytes> list;
  list.reserve(array.Length());
  for (uint32_t index = 0; index < array.Length(); ++index) {
    const Napi::Value value = array.Get(index);
    require(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array, object, name);
    list.push_back(bytes_of(value));
  }
  return list;
}

}  // namespace netlink_ct::node
