// What an operation gives back: its value, or the reason why the kernel (or the codec) refused.
#pragma once

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace netlink_ct {

// What the kernel takes for an attribute (NLMSGERR_ATTR_POLICY): as much of it as it told.
struct Policy {
  uint32_t type = 0;  // NL_ATTR_TYPE_*
  std::optional<uint64_t> min = {}, max = {};
  std::optional<int64_t> signed_min = {}, signed_max = {};
  std::optional<uint32_t> min_length = {}, max_length = {};
  std::optional<uint64_t> mask = {};  // the bits that may be set

  bool operator==(const Policy&) const = default;
};

struct Error {
  int code = 0;                       // errno, positive
  std::string syscall;                // RTM_NEWLINK, NFT_MSG_NEWSETELEM, setns, open: what was refused
  std::string step;                   // what it was a part of, in words; empty for a lone message
  std::string extack;                 // the kernel's own text (NLMSGERR_ATTR_MSG); empty when it gave none
  std::string attribute;              // where NLMSGERR_ATTR_OFFS points, as a path of attribute names; empty when nowhere
  int index = -1;                     // position of the message in its submission, -1 when there was none
  std::string missing = {};           // what NLMSGERR_ATTR_MISS_TYPE says should have been there, as a path too
  std::optional<Policy> policy = {};  // of `attribute`
  std::string note = {};              // what this library says, where the kernel says nothing
};

// The error of a system call that has just failed.
inline Error system_error(std::string syscall, std::string step = {}) {
  return Error{.code = errno, .syscall = std::move(syscall), .step = std::move(step), .extack = {}, .attribute = {}};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& value() { return *std::get_if<0>(&state_); }
  const T& value() const { return *std::get_if<0>(&state_); }
  Error& error() { return *std::get_if<1>(&state_); }
  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return !error_; }
  Error& error() { return *error_; }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace netlink_ct
