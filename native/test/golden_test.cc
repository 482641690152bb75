// Every recorded message, of rtnetlink, nf_tables and conntrack, decoded and encoded again, is the same attributes; so it is when
// it holds attributes that nobody knows. That the library's calls send what is recorded is for test/golden/golden.test.ts.
#include <linux/rtnetlink.h>

#include <set>

#include "core/netlink/codec.h"
#include "core/rtnetlink/schema.h"
#include "recording.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

std::vector<AttributeView> attributes_of(std::span<const uint8_t> bytes) {
  std::vector<AttributeView> views;
  check(each_attribute(bytes, [&](AttributeView view) { return views.push_back(view), true; }), "lengths are right");
  return views;
}

const Attribute* find_attribute(const Schema& schema, uint16_t number) {
  const auto found = std::ranges::find(schema.attributes, number, &Attribute::number);
  return found == schema.attributes.end() ? nullptr : &*found;
}

// The schema of what is inside an attribute; nullptr where there is nothing to look into.
const Schema* inside(const Schema& schema, const Attribute& attribute, const std::vector<AttributeView>& siblings) {
  if (attribute.shape == Shape::nest || attribute.shape == Shape::message) return attribute.schema;
  if (attribute.shape != Shape::chosen) return nullptr;
  for (const AttributeView& sibling : siblings) {
    const Attribute* selector = find_attribute(schema, sibling.type);
    if (selector == nullptr || selector->name != attribute.selector) continue;
    const auto choice = std::ranges::find(attribute.choices, text_of(sibling.payload), &Choice::value);
    return choice == attribute.choices.end() ? nullptr : choice->schema;
  }
  return nullptr;
}

std::vector<std::span<const uint8_t>> records_of(std::span<const uint8_t> payload) {
  std::vector<std::span<const uint8_t>> records;
  for (uint16_t length = 0; !payload.empty(); payload = payload.subspan(std::min<size_t>(MNL_ALIGN(length), payload.size()))) {
    std::memcpy(&length, payload.data(), sizeof length);
    records.push_back(payload.first(length));
  }
  return records;
}

// What iproute2 and the kernel write in ways of their own is made equal here, and only here: nests without NLA_F_NESTED, texts
// without the NUL at their end, the order of different attributes in a nest, and nft's numbers of the items of a list.
class Canonical {
 public:
  static std::vector<std::string> of(const Schema& schema, std::span<const uint8_t> bytes) {
    Canonical canonical;
    canonical.message("", schema, bytes);
    return canonical.lines_;
  }

 private:
  void say(const std::string& path, std::span<const uint8_t> bytes) { lines_.push_back(path + " " + hex(bytes)); }

  void message(const std::string& path, const Schema& schema, std::span<const uint8_t> bytes) {
    if (schema.header_size > 0) say(path + " header", bytes.first(schema.header_size));
    attributes(path, schema, bytes.subspan(std::min<size_t>(MNL_ALIGN(schema.header_size), bytes.size())));
  }

  void attributes(const std::string& path, const Schema& schema, std::span<const uint8_t> bytes) {
    auto views = attributes_of(bytes);
    std::ranges::stable_sort(views, {}, &AttributeView::type);
    for (const AttributeView& view : views) {
      const Attribute* attribute = find_attribute(schema, view.type);
      if (attribute == nullptr) {
        say(path + "." + std::to_string(view.type | view.flags), view.payload);
      } else if (const Schema* inner = inside(schema, *attribute, views)) {
        lines_.push_back(path + "." + std::string(attribute->kernel));
        message(path + "." + std::string(attribute->kernel), *inner, view.payload);
      } else {
        value(path + "." + std::string(attribute->kernel), *attribute, view);
      }
    }
  }

  void value(const std::string& path, const Attribute& attribute, const AttributeView& view) {
    switch (attribute.shape) {
      case Shape::text:
      case Shape::chars: lines_.push_back(path + " " + text_of(view.payload)); break;
      case Shape::texts:
        for (const AttributeView& item : attributes_of(view.payload))
          lines_.push_back(path + "." + std::to_string(item.type) + " " + text_of(item.payload));
        break;
      case Shape::list:
        for (const AttributeView& item : attributes_of(view.payload))
          message(path + "." + (attribute.element == 0 ? std::to_string(item.type) : "item"), *attribute.schema, item.payload);
        break;
      case Shape::records:
        for (const auto record : records_of(view.payload)) message(path, *attribute.schema, record);
        break;
      case Shape::numbers:
        if ((view.flags & NLA_F_NESTED) != 0) {
          for (const AttributeView& item : attributes_of(view.payload)) say(path + std::to_string(item.type), item.payload);
        } else {
          for (size_t at = 0; at + 4 <= view.payload.size(); at += 4)
            say(path + std::to_string(at / 4 + 1), view.payload.subspan(at, 4));
        }
        break;
      default: say(path, view.payload);
    }
  }

  std::vector<std::string> lines_;
};

void survives(const Schema& schema, std::span<const uint8_t> bytes) {
  const Exact exact(bytes);
  auto decoded = decode(schema, exact.span(), Unknown::keep);
  check(static_cast<bool>(decoded), "it decodes" + (decoded ? "" : ", not so " + decoded.error().attribute));
  MessageBuffer again;
  again.start(NLMSG_MIN_TYPE, 0, 1);
  auto done = encode(again, schema, decoded.value());
  check(static_cast<bool>(done), "it encodes again" + (done ? "" : ", not so " + done.error().attribute));
  const auto before = Canonical::of(schema, bytes);
  const auto after = Canonical::of(schema, again.bytes().subspan(NLMSG_HDRLEN));
  for (size_t at = 0; at < std::min(before.size(), after.size()); ++at) equal(after[at], before[at]);
  equal(after.size(), before.size());
}

void append(Bytes& bytes, uint16_t type, std::span<const uint8_t> payload) {
  const nlattr header{static_cast<uint16_t>(NLA_HDRLEN + payload.size()), type};
  const auto* raw = reinterpret_cast<const uint8_t*>(&header);
  bytes.insert(bytes.end(), raw, raw + sizeof header);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  bytes.resize(NLA_ALIGN(bytes.size()));
}

// With attributes that no schema has in every nest, in the middle and at the end.
Bytes with_unknown(const Schema& schema, std::span<const uint8_t> bytes) {
  constexpr uint16_t nobody = 0x3ffe;
  static constexpr uint8_t something[] = {1, 2, 3, 4, 5};
  const size_t start = std::min<size_t>(MNL_ALIGN(schema.header_size), bytes.size());
  Bytes all(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(start));
  const auto views = attributes_of(bytes.subspan(start));
  for (const AttributeView& view : views) {
    const Attribute* attribute = find_attribute(schema, view.type);
    const Schema* inner = attribute == nullptr ? nullptr : inside(schema, *attribute, views);
    const Bytes payload = inner == nullptr ? Bytes(view.payload.begin(), view.payload.end()) : with_unknown(*inner, view.payload);
    append(all, static_cast<uint16_t>(view.type | view.flags), payload);
    append(all, nobody, something);
  }
  append(all, nobody | NLA_F_NESTED, {});
  return all;
}

const Schema& schema_of(const Recording& recording) {
  const Schema& schema = recording.told ? answer_schema(*recording.type) : *recording.type->schema;
  return in_family(schema, recording.bytes[0]);
}

// What is behind that is for the fuzzer.
constexpr size_t looked_at = 256;

// Whatever is cut off: a value or an error, and under the address sanitizer no read beyond the end.
void survives_truncation(const Recording& recording) {
  const Schema& schema = schema_of(recording);
  // What ends between two attributes is whole.
  std::set<size_t> seams;
  for (size_t at = schema.header_size; at <= MNL_ALIGN(schema.header_size); ++at) seams.insert(at);
  const auto rest = std::span(recording.bytes).subspan(std::min<size_t>(MNL_ALIGN(schema.header_size), recording.bytes.size()));
  for (const AttributeView& view : attributes_of(rest)) {
    const auto end = static_cast<size_t>(view.payload.data() + view.payload.size() - recording.bytes.data());
    for (size_t at = end; at <= MNL_ALIGN(end); ++at) seams.insert(at);
  }
  for (size_t length = 0; length < std::min(recording.bytes.size(), looked_at); ++length) {
    const Exact cut(std::span<const uint8_t>(recording.bytes).first(length));
    auto decoded = decode(schema, cut.span(), Unknown::keep);
    check(static_cast<bool>(decoded) == seams.contains(length),
          "cut after " + std::to_string(length) + " of " + std::to_string(recording.bytes.size()));
    if (!decoded) equal(decoded.error().code, EBADMSG);
  }
}

// Every length field in turn says too much and too little.
void survives_lies(const Recording& recording) {
  const Schema& schema = schema_of(recording);
  for (size_t at = schema.header_size; at + 1 < std::min(recording.bytes.size(), looked_at); at += 2) {
    for (const uint16_t lie : std::initializer_list<uint16_t>{0, 1, 3, 5, 17, 255, 65535}) {
      Bytes changed = recording.bytes;
      std::memcpy(changed.data() + at, &lie, sizeof lie);
      const Exact bytes(changed);
      static_cast<void>(decode(schema, bytes.span(), Unknown::keep));
    }
  }
}

void every_message_is_recorded(const std::vector<Recording>& all) {
  for (const MessageType& type : rtnetlink_messages()) {
    // Told of to those who listen, and never sent.
    if (type.number == RTM_DELNSID) continue;
    const bool there = std::ranges::any_of(all, [&](const Recording& recording) { return recording.type == &type; });
    check(there, "there is an " + std::string(type.name));
  }
}

void every_kind_is_recorded(const std::vector<Recording>& all) {
  std::set<std::string> recorded;
  for (const Recording& recording : all) {
    if (&schema_of(recording) != &link_schema) continue;
    auto decoded = decode(link_schema, recording.bytes, Unknown::drop);
    const Value* info = decoded ? find(decoded.value(), "info") : nullptr;
    const auto* object = info == nullptr ? nullptr : info->get<Object>();
    const Value* kind = object == nullptr ? nullptr : find(*object, "kind");
    if (kind != nullptr && kind->get<std::string>() != nullptr) recorded.insert(*kind->get<std::string>());
  }
  const Attribute* info = find_attribute(link_schema, IFLA_LINKINFO);
  for (const Choice& choice : find_attribute(*info->schema, IFLA_INFO_DATA)->choices)
    check(recorded.contains(std::string(choice.value)), "there is a device of kind " + std::string(choice.value));
}

}  // namespace

int main() {
  const std::vector<Recording> all = recordings();
  std::vector<Test> tests{
      {"every message type is recorded", [&] { every_message_is_recorded(all); }},
      {"every kind of device is recorded", [&] { every_kind_is_recorded(all); }},
  };
  for (const Recording& recording : all) {
    tests.push_back({recording.name.c_str(), [&] {
                       const Schema& schema = schema_of(recording);
                       survives(schema, recording.bytes);
                       survives(schema, with_unknown(schema, recording.bytes));
                       if (recording.told) return;  // long ones; the fuzzer begins with them
                       survives_truncation(recording);
                       survives_lies(recording);
                     }});
  }
  return run(tests);
}
