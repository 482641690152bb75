// A message body between the two sides: what JavaScript gave, or what the kernel sent, without napi and without structs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace netlink_ct {

struct Value;
using Bytes = std::vector<uint8_t>;
using List = std::vector<Value>;
// Ordered: attributes are written in the order of the object, so that what was decoded encodes to the same bytes.
using Object = std::vector<std::pair<std::string, Value>>;

struct Value {
  // int64_t is a JavaScript number (up to 32 bits on the wire), uint64_t a bigint (64-bit counters, cookies, handles).
  std::variant<std::monostate, bool, int64_t, uint64_t, std::string, Bytes, List, Object> data;

  Value() = default;
  Value(bool v) : data(v) {}                      // NOLINT(google-explicit-constructor)
  Value(int64_t v) : data(v) {}                   // NOLINT(google-explicit-constructor)
  Value(uint64_t v) : data(v) {}                  // NOLINT(google-explicit-constructor)
  Value(std::string v) : data(std::move(v)) {}    // NOLINT(google-explicit-constructor)
  Value(const char* v) : data(std::string(v)) {}  // NOLINT(google-explicit-constructor)
  Value(Bytes v) : data(std::move(v)) {}          // NOLINT(google-explicit-constructor)
  Value(List v) : data(std::move(v)) {}           // NOLINT(google-explicit-constructor)
  Value(Object v) : data(std::move(v)) {}         // NOLINT(google-explicit-constructor)

  bool operator==(const Value&) const = default;

  template <typename T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&data);
  }
};

// The field of that name, or nullptr.
inline const Value* find(const Object& object, std::string_view name) {
  for (const auto& [key, value] : object) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace netlink_ct
