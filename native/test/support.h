// What the native tests stand on: named tests, checks that say where they failed, and bytes as hexadecimal text.
#pragma once

#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/netlink/value.h"

namespace netlink_ct::test {

// The name is a sentence that is true when the body returns.
struct Test {
  const char* name;
  std::function<void()> body;
};

// For main(): runs all of them, prints those that fail, and returns the exit code.
inline int run(const std::vector<Test>& tests) {
  int failed = 0;
  for (const Test& test : tests) {
    try {
      test.body();
    } catch (const std::exception& failure) {
      ++failed;
      std::fprintf(stderr, "failed: %s\n  %s\n", test.name, failure.what());
    }
  }
  std::printf("%zu passed, %d failed\n", tests.size() - static_cast<size_t>(failed), failed);
  return failed == 0 && !tests.empty() ? 0 : 1;
}

[[noreturn]] inline void fail(const std::string& why, std::source_location where = std::source_location::current()) {
  throw std::runtime_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": " + why);
}

inline void check(bool condition, const std::string& what, std::source_location where = std::source_location::current()) {
  if (!condition) fail(what, where);
}

inline std::string hex(std::span<const uint8_t> bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

// White space between the digits is for the reader.
inline Bytes bytes_of(std::string_view text) {
  std::string digits;
  for (const char digit : text) {
    if (digit != ' ' && digit != '\n') digits += digit;
  }
  Bytes bytes;
  for (size_t at = 0; at + 1 < digits.size(); at += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(digits.substr(at, 2), nullptr, 16)));
  return bytes;
}

inline std::string show(const std::string& text) { return "'" + text + "'"; }
inline std::string show(const Bytes& bytes) { return hex(bytes); }
template <typename T>
  requires std::is_arithmetic_v<T>
std::string show(T number) {
  return std::to_string(number);
}
std::string show(const Object& object);
inline std::string show(const Value& value) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "nothing"; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(uint64_t v) const { return std::to_string(v) + "n"; }
    std::string operator()(const std::string& v) const { return show(v); }
    std::string operator()(const Bytes& v) const { return "0x" + hex(v); }
    std::string operator()(const List& v) const {
      std::string text = "[";
      for (const Value& item : v) text += show(item) + " ";
      return text + "]";
    }
    std::string operator()(const Object& v) const { return show(v); }
  };
  return std::visit(Visitor{}, value.data);
}
inline std::string show(const Object& object) {
  std::string text = "{";
  for (const auto& [name, value] : object) text += name + ": " + show(value) + " ";
  return text + "}";
}

template <typename T>
void equal(const T& actual, const T& expected, std::source_location where = std::source_location::current()) {
  if (!(actual == expected)) fail("\n    expected " + show(expected) + "\n    got      " + show(actual), where);
}
inline void equal(std::string_view actual, std::string_view expected,
                  std::source_location where = std::source_location::current()) {
  equal(std::string(actual), std::string(expected), where);
}

// A copy on the heap that ends where the message ends, so that the address sanitizer sees a read beyond it.
class Exact {
 public:
  explicit Exact(std::span<const uint8_t> bytes) : bytes_(std::make_unique<uint8_t[]>(bytes.size())), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), bytes_.get());
  }
  [[nodiscard]] std::span<const uint8_t> span() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_;
};

}  // namespace netlink_ct::test
