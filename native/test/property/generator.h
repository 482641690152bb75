// Random objects out of the schema tables themselves: what a table can describe is generated, so that a new message or kind needs
// no line here.
#pragma once

#include <random>

#include "core/netlink/schema.h"
#include "core/netlink/value.h"

namespace netlink_ct::test {

class Generator {
 public:
  explicit Generator(uint64_t seed) : engine_(seed) {}

  // A value for each header field, in their order, and for some of the attributes, in any order: the form that decode() gives.
  // Attributes of shape `numbers` are left out: the kernel takes and gives them in two forms.
  Object object(const Schema& schema);
  // Every header field, and of the attributes this one alone, with the selector that it needs.
  Object object_with(const Schema& schema, const Attribute& attribute);

  // From `low` to `high`, both included.
  size_t number(size_t low, size_t high) { return std::uniform_int_distribution<size_t>(low, high)(engine_); }
  bool one_in(size_t times) { return number(1, times) == 1; }
  Bytes bytes(size_t least, size_t most);

 private:
  Value header_field(const HeaderField& field);
  Object fields(const Schema& schema);
  void put_attributes(Object& object, const Schema& schema);
  void put(Object& object, const Schema& schema, const Attribute& attribute);
  Value value(const Schema& owner, const Attribute& attribute, const Object& object);
  Value text(const Schema& owner, const Attribute& attribute);
  Value address();
  Object nested(const Schema& schema);
  List objects(const Schema& schema, Object (Generator::*make)(const Schema&));
  Value unknown(const Schema& schema);
  int64_t integer(int bits, bool is_signed);
  uint64_t wide();
  Object structure(const Schema& schema);

  std::mt19937_64 engine_;
  int depth_ = 0;
};

}  // namespace netlink_ct::test
