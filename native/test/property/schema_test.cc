// What every schema of every message has to hold, with objects generated from the schemas themselves.
//
//   NETLINK_CT_SEED=7 NETLINK_CT_RUNS=1000 npm run test:native -- -R schema_test
#include <linux/netlink.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "core/conntrack/schema.h"
#include "core/netlink/codec.h"
#include "core/netlink/extack.h"
#include "core/nftables/messages.h"
#include "core/rtnetlink/schema.h"
#include "test/property/generator.h"
#include "test/support.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

const uint64_t seed = setting("NETLINK_CT_SEED", std::random_device{}());
const uint64_t runs = setting("NETLINK_CT_RUNS", 60);

// Each schema that a message reaches, once, by the path of kernel names that leads to it.
void collect(const Schema& schema, const std::string& path, std::map<std::string, const Schema*>& found,
             std::set<const Schema*>& seen) {
  if (!seen.insert(&schema).second) return;
  found.emplace(path, &schema);
  if (schema.of_bridges != nullptr) collect(*schema.of_bridges, path + " of AF_BRIDGE", found, seen);
  for (const Attribute& attribute : schema.attributes) {
    const std::string below = path + "." + std::string(attribute.kernel);
    if (attribute.schema != nullptr) collect(*attribute.schema, below, found, seen);
    for (const Choice& choice : attribute.choices)
      collect(*choice.schema, below + "(" + std::string(choice.value) + ")", found, seen);
  }
}

std::map<std::string, const Schema*> schemas() {
  std::map<std::string, const Schema*> found;
  std::set<const Schema*> seen;
  for (const auto types : {rtnetlink_messages(), nftables_messages(), conntrack_messages()}) {
    for (const MessageType& type : types) {
      collect(*type.schema, std::string(type.name), found, seen);
      collect(answer_schema(type), "the answer " + std::string(type.name), found, seen);
    }
  }
  return found;
}

const std::map<std::string, const Schema*> all = schemas();

std::string told(const std::string& path, const Object& object) {
  return path + ", NETLINK_CT_SEED=" + std::to_string(seed) + "\n    " + show(object);
}

Bytes encoded(const std::string& path, const Schema& schema, const Object& object) {
  MessageBuffer message;
  message.start(NLMSG_MIN_TYPE, 0, 1);
  const auto done = encode(message, schema, object);
  if (!done) fail(done.error().attribute + " " + done.error().note + " in " + told(path, object));
  const auto body = message.bytes().subspan(NLMSG_HDRLEN);
  return {body.begin(), body.end()};
}

void comes_back(const std::string& path, const Schema& schema, const Object& object) {
  const Bytes bytes = encoded(path, schema, object);
  const auto again = decode(schema, bytes, Unknown::keep);
  if (!again) fail(again.error().attribute + " " + again.error().note + " in " + told(path, object));
  if (again.value() != object) fail(told(path, object) + "\n    came back as\n    " + show(again.value()));
  if (encoded(path, schema, again.value()) != bytes) fail("other bytes the second time: " + told(path, object));
}

void each_attribute_alone() {
  Generator generator(seed);
  size_t attributes = 0;
  for (const auto& [path, schema] : all) {
    for (const Attribute& attribute : schema->attributes) {
      ++attributes;
      for (int time = 0; time < 4; ++time) comes_back(path, *schema, generator.object_with(*schema, attribute));
    }
  }
  check(all.size() > 60 && attributes > 500, "the tables were found");
}

void random_objects() {
  Generator generator(seed);
  for (const auto& [path, schema] : all) {
    for (uint64_t run = 0; run < runs; ++run) comes_back(path, *schema, generator.object(*schema));
  }
}

// Names and numbers tell attributes apart, so none may stand twice; and a name that a header field has too would never be
// written.
void nothing_stands_twice() {
  for (const auto& [path, schema] : all) {
    std::set<std::string_view> names{"other"};
    std::set<uint16_t> numbers;
    for (const HeaderField& field : schema->header) {
      check(names.insert(field.name).second, path + ": " + std::string(field.name));
      check(size_t{field.offset} + field.size <= schema->header_size,
            path + ": a field beyond the header, " + std::string(field.name));
    }
    for (const Attribute& attribute : schema->attributes) {
      check(names.insert(attribute.name).second, path + ": " + std::string(attribute.name));
      check(numbers.insert(attribute.number).second, path + ": the number of " + std::string(attribute.kernel));
      if (attribute.shape != Shape::chosen) continue;
      const auto selector = std::ranges::find(schema->attributes, attribute.selector, &Attribute::name);
      check(selector != schema->attributes.end() && selector->shape == Shape::text,
            path + ": the selector of " + std::string(attribute.kernel));
    }
  }
}

void truncated(const Schema& schema, const Bytes& bytes, Generator& generator) {
  for (int time = 0; time < 4; ++time) {
    const Exact cut(std::span<const uint8_t>(bytes).first(generator.number(0, bytes.size())));
    const auto object = decode(schema, cut.span(), generator.one_in(2) ? Unknown::keep : Unknown::drop);
    if (!object) equal(int64_t{object.error().code}, int64_t{EBADMSG});
    if (cut.span().size() < schema.header_size) check(!object, "a header that is cut off");
  }
}

// One to four bytes are other ones: often a length or a type, for there are as many of them as of anything else.
void corrupted(const Schema& schema, Bytes bytes, Generator& generator) {
  if (bytes.empty()) return;
  const size_t changes = generator.number(1, 4);
  for (size_t change = 0; change < changes; ++change) bytes[generator.number(0, bytes.size() - 1)] = generator.bytes(1, 1)[0];
  const Exact exact(bytes);
  const auto object = decode(schema, exact.span(), Unknown::keep);
  static_cast<void>(attribute_path(schema, exact.span(), static_cast<uint32_t>(generator.number(0, bytes.size() + 8))));
  if (!object) {
    equal(int64_t{object.error().code}, int64_t{EBADMSG});
    return;
  }
  MessageBuffer message;
  message.start(NLMSG_MIN_TYPE, 0, 1);
  const auto done = encode(message, schema, object.value());
  if (!done) return equal(int64_t{done.error().code}, int64_t{EINVAL});
  const auto again = decode(schema, message.bytes().subspan(NLMSG_HDRLEN), Unknown::keep);
  check(static_cast<bool>(again), "what was understood and written is understood");
}

void damaged_bytes() {
  Generator generator(seed);
  for (const auto& [path, schema] : all) {
    for (uint64_t run = 0; run < runs; ++run) {
      const Object object = generator.object(*schema);
      const Bytes bytes = encoded(path, *schema, object);
      try {
        truncated(*schema, bytes, generator);
        corrupted(*schema, bytes, generator);
      } catch (const std::exception& failure) {
        fail(std::string(failure.what()) + " in " + told(path, object));
      }
    }
  }
}

}  // namespace

int main() {
  std::printf("NETLINK_CT_SEED=%llu, %zu schemas\n", static_cast<unsigned long long>(seed), all.size());
  return run({
      {"in each schema names and numbers stand once, and selectors are texts", nothing_stands_twice},
      {"each attribute of each schema comes back as it was sent", each_attribute_alone},
      {"random objects of every schema come back as they were sent, and to the same bytes", random_objects},
      {"bytes that are cut off or changed give EBADMSG or an object, and no read beyond their end", damaged_bytes},
  });
}
