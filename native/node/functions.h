// One file for each group of functions; each adds its own to the exports.
#pragma once

#include <napi.h>

#include "node/convert.h"
#include "node/environment.h"
#include "node/handle.h"

namespace netlink_ct::node {

void export_netns(Napi::Env env, Napi::Object exports);
void export_netlink(Napi::Env env, Napi::Object exports);
void export_container(Napi::Env env, Napi::Object exports);
void export_watch(Napi::Env env, Napi::Object exports);
void export_trace(Napi::Env env, Napi::Object exports);

template <typename Function>
void add(Napi::Env env, Napi::Object exports, const char* name, Function function) {
  exports.Set(name, Napi::Function::New(env, function, name));
}

}  // namespace netlink_ct::node
