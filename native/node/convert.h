// JavaScript values to core's and back.
#pragma once

#include <napi.h>

#include "core/netlink/submission.h"
#include "core/netlink/value.h"
#include "core/result.h"

namespace netlink_ct::node {

// Throws a Napi::TypeError on what no message can carry (functions, symbols, numbers that are no integers).
Value to_value(const Napi::Value& value);
Object to_object(const Napi::Value& value);

Napi::Value to_js(Napi::Env env, const Value& value);
Napi::Object to_js(Napi::Env env, const Object& object);

Napi::Object error_to_js(Napi::Env env, const Error& error);
Napi::Object warning_to_js(Napi::Env env, const Warning& warning);
Napi::Array outcomes_to_js(Napi::Env env, const std::vector<Outcome>& outcomes);

// Members of an options object whose types lib/ has checked; a wrong one throws a Napi::TypeError all the same.
std::string text_member(const Napi::Object& object, const char* name);
uint32_t number_member(const Napi::Object& object, const char* name);
bool bool_member(const Napi::Object& object, const char* name);
Bytes bytes_member(const Napi::Object& object, const char* name);
std::vector<Bytes> bytes_list_member(const Napi::Object& object, const char* name);
Napi::Array array_member(const Napi::Object& object, const char* name);

}  // namespace netlink_ct::node
