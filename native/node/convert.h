// JavaScript values to core's and back.
#pragma once

#include <napi.h>

#include "core/netlink/packed.h"
#include "core/netlink/submission.h"
#include "core/netlink/value.h"
#include "core/result.h"

namespace netlink_ct::node {

// What lib/packed.ts packed. Throws a Napi::TypeError on bytes that are no value.
Value unpacked(const Napi::Value& bytes);
// For lib/packed.ts to unpack.
Napi::Value packed(Napi::Env env, std::span<const uint8_t> bytes);

Napi::Object error_to_js(Napi::Env env, const Error& error);
Napi::Object warning_to_js(Napi::Env env, const Warning& warning);
// Packed: a list of { netns, type, flags, bytes, step }.
Napi::Value transcript_to_js(Napi::Env env, const std::vector<Sent>& sent);
Napi::Object outcomes_to_js(Napi::Env env, const std::vector<Outcome>& outcomes);

// An object of options whose types lib/ has checked; a member of a wrong one throws a Napi::TypeError all the same. The object
// must outlive it.
class Fields {
 public:
  Fields(Napi::Env env, const Value& value);

  [[nodiscard]] const Object& object() const { return *object_; }
  // nullptr for one that is absent.
  [[nodiscard]] const Value* find(const char* name) const { return netlink_ct::find(*object_, name); }
  [[nodiscard]] Fields nested(const char* name) const;

  [[nodiscard]] std::string text(const char* name) const;
  [[nodiscard]] uint32_t number(const char* name) const;
  [[nodiscard]] bool truth(const char* name) const;
  [[nodiscard]] Bytes bytes(const char* name) const;
  [[nodiscard]] const List& list(const char* name) const;
  [[nodiscard]] std::vector<Bytes> bytes_list(const char* name) const;
  [[nodiscard]] std::vector<std::string> texts(const char* name) const;
  [[nodiscard]] std::vector<uint32_t> numbers(const char* name) const;

  template <typename T, typename Read>
  [[nodiscard]] std::vector<T> list_of(const char* name, Read read) const {
    std::vector<T> items;
    for (const Value& item : list(name)) items.push_back(read(Fields(env_, item)));
    return items;
  }

 private:
  template <typename T>
  [[nodiscard]] const T& member(const char* name) const;
  template <typename T>
  [[nodiscard]] std::vector<T> items(const char* name) const;

  Napi::Env env_;
  const Object* object_;
};

}  // namespace netlink_ct::node
