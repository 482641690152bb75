// The composed container operations: one call, one crossing, one job.
#include <linux/netlink.h>

#include <memory>

#include "core/container/attach.h"
#include "core/container/detach.h"
#include "node/functions.h"

namespace netlink_ct::node {
namespace {

template <typename T, typename Read>
std::vector<T> list_member(const Napi::Object& object, const char* name, Read read) {
  const Napi::Array array = array_member(object, name);
  std::vector<T> list;
  list.reserve(array.Length());
  for (uint32_t index = 0; index < array.Length(); ++index) list.push_back(read(array.Get(index).As<Napi::Object>()));
  return list;
}

TableName table_of(const Napi::Object& plan) {
  const auto table = plan.Get("table").As<Napi::Object>();
  return {static_cast<uint8_t>(number_member(table, "family")), text_member(table, "name")};
}

Element element_of(const Napi::Object& object) {
  return {.set = text_member(object, "set"),
          .key = bytes_member(object, "key"),
          .key_end = bytes_member(object, "keyEnd"),
          .data = bytes_member(object, "data"),
          .comment = text_member(object, "comment"),
          .exclusive = bool_member(object, "exclusive")};
}

Flow flow_of(const Napi::Object& object) {
  return {.family = static_cast<uint8_t>(number_member(object, "family")),
          .protocol = static_cast<uint8_t>(number_member(object, "protocol")),
          .address = bytes_member(object, "address"),
          .port = static_cast<uint16_t>(number_member(object, "port"))};
}

std::vector<std::string> texts_member(const Napi::Object& object, const char* name) {
  const Napi::Array array = array_member(object, name);
  std::vector<std::string> texts;
  for (uint32_t index = 0; index < array.Length(); ++index) texts.push_back(array.Get(index).ToString().Utf8Value());
  return texts;
}

PortSets port_sets_of(const Napi::Object& object) {
  return {.published = text_member(object, "published"),
          .maps = list_member<PortMap>(object, "maps",
                                       [](const Napi::Object& map) {
                                         return PortMap{text_member(map, "map"), text_member(map, "limited"),
                                                        text_member(map, "allowed")};
                                       }),
          .open = texts_member(object, "open")};
}

AddressIn address_in(const std::string& word) {
  return word == "data" ? AddressIn::data : word == "key" ? AddressIn::key : AddressIn::neither;
}

AddressFamily family_of(const Napi::Object& object) {
  return {.prefix_length = static_cast<uint8_t>(number_member(object, "prefixLength")),
          .ports = port_sets_of(object.Get("ports").As<Napi::Object>()),
          .gateway = bytes_member(object, "gateway")};
}

Lease lease_of(const Napi::Object& object) {
  return {.host_ifname = text_member(object, "hostIfname"),
          .claim = text_member(object, "claim"),
          .addresses = bytes_list_member(object, "addresses"),
          .mac = bytes_member(object, "mac")};
}

HostPort host_port_of(const Napi::Object& object) {
  return {.protocol = static_cast<uint8_t>(number_member(object, "protocol")),
          .address = bytes_member(object, "address"),
          .port = static_cast<uint16_t>(number_member(object, "port"))};
}

PublishedElement published_element_of(const Napi::Object& element) {
  return {element_of(element), number_member(element, "address"), address_in(text_member(element, "addressIn"))};
}

AttachPlan attach_plan(const Napi::Object& object) {
  AttachPlan plan;
  plan.host = unwrap(object.Get("host"));
  if (const Napi::Value given = object.Get("inside"); !given.IsUndefined()) plan.inside = unwrap(given);
  plan.ipv6 = bool_member(object, "ipv6");
  plan.master = number_member(object, "master");
  plan.host_mac = bytes_member(object, "hostMac");
  plan.mtu = number_member(object, "mtu");
  plan.group = number_member(object, "group");
  plan.loose = bool_member(object, "loose");
  plan.isolated = bool_member(object, "isolated");
  plan.index = number_member(object, "index");
  plan.ifname = text_member(object, "ifname");
  plan.alias = text_member(object, "alias");
  plan.altname = text_member(object, "altname");
  plan.families = list_member<AddressFamily>(object, "families", family_of);
  plan.leases = list_member<Lease>(object, "leases", lease_of);
  plan.routes = list_member<AttachRoute>(object, "routes", [](const Napi::Object& route) {
    return AttachRoute{bytes_member(route, "to"),      static_cast<uint8_t>(number_member(route, "prefixLength")),
                       bytes_member(route, "gateway"), bool_member(route, "onlink"),
                       number_member(route, "metric"), static_cast<uint8_t>(number_member(route, "type"))};
  });
  plan.sysctls = list_member<AttachSysctl>(object, "sysctls", [](const Napi::Object& setting) {
    return AttachSysctl{text_member(setting, "path"), text_member(setting, "value"), bool_member(setting, "ofDevice")};
  });
  plan.host_ports = list_member<HostPort>(object, "hostPorts", host_port_of);
  plan.elements = list_member<PublishedElement>(object, "elements", published_element_of);
  plan.flows = list_member<Flow>(object, "flows", flow_of);
  plan.table = table_of(object);
  plan.networks_set = text_member(object, "networksSet");
  plan.networks_comment = text_member(object, "networksComment");
  plan.members = list_member<Member>(object, "members", [](const Napi::Object& member) {
    return Member{published_element_of(member), bool_member(member, "isMember")};
  });
  return plan;
}

Napi::Value attach_container(const Napi::CallbackInfo& info) {
  auto plan = std::make_shared<const AttachPlan>(attach_plan(info[0].As<Napi::Object>()));
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit<Attached>(
          info.Env(), [plan](Home& home) { return attach(home, *plan); },
          [](Napi::Env env, Attached& attached) -> Napi::Value {
            auto out = Napi::Object::New(env);
            out.Set("inside", wrap(env, std::move(attached.inside)));
            out.Set("lease", Napi::Number::New(env, static_cast<double>(attached.lease)));
            out.Set("hostIndex", Napi::Number::New(env, attached.host_index));
            out.Set("index", Napi::Number::New(env, attached.index));
            out.Set("loopbackWasDown", Napi::Boolean::New(env, attached.loopback_was_down));
            auto before = Napi::Array::New(env, attached.sysctls_before.size());
            for (uint32_t at = 0; at < before.Length(); ++at) {
              auto setting = Napi::Object::New(env);
              setting.Set("path", attached.sysctls_before[at].path);
              setting.Set("value", attached.sysctls_before[at].value);
              before.Set(at, setting);
            }
            out.Set("sysctlsBefore", before);
            return out;
          });
}

Napi::Value detach_containers(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  auto plan = std::make_shared<DetachPlan>();
  plan->host = unwrap(object.Get("host"));
  const Napi::Array indexes = array_member(object, "hostIndexes");
  for (uint32_t at = 0; at < indexes.Length(); ++at) plan->host_indexes.push_back(indexes.Get(at).ToNumber().Uint32Value());
  plan->elements = list_member<Element>(object, "elements", element_of);
  plan->addresses = bytes_list_member(object, "addresses");
  plan->members = list_member<Element>(object, "members", element_of);
  plan->table = table_of(object);
  return Environment::of(info.Env()).executor(info.Env()).submit(info.Env(), [plan](Home& home) { return detach(home, *plan); });
}

// The ports of an endpoint at run time: published, or withdrawn.
Napi::Value change_ports(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  const SharedNamespace host = unwrap(object.Get("host"));
  auto elements = std::make_shared<const std::vector<Element>>(list_member<Element>(object, "elements", element_of));
  auto flows = std::make_shared<const std::vector<Flow>>(list_member<Flow>(object, "flows", flow_of));
  auto ports = std::make_shared<const std::vector<HostPort>>(list_member<HostPort>(object, "hostPorts", host_port_of));
  const TableName table = table_of(object);
  const bool add_them = bool_member(object, "publish");
  return Environment::of(info.Env()).executor(info.Env()).submit(info.Env(), [=](Home& home) -> Result<void> {
    if (auto free = require_free(home, *host, *ports); !free) return free;
    auto netfilter = host->socket(home, NETLINK_NETFILTER);
    if (!netfilter) return netfilter.error();
    auto done = add_them ? publish(*netfilter.value(), table, *elements) : unpublish(*netfilter.value(), table, *elements);
    if (!done) return done;
    return flush_flows(*netfilter.value(), *flows);
  });
}

}  // namespace

void export_container(Napi::Env env, Napi::Object exports) {
  add(env, exports, "attach", attach_container);
  add(env, exports, "detach", detach_containers);
  add(env, exports, "changePorts", change_ports);
}

}  // namespace netlink_ct::node
