// The composed container operations: one call, one crossing, one job. The last argument of each: whether what it sends is to be
// transcribed.
#include <linux/netlink.h>

#include <memory>

#include "core/container/attach.h"
#include "core/container/detach.h"
#include "node/functions.h"

namespace netlink_ct::node {
namespace {

TableName table_of(const Fields& plan) {
  const Fields table = plan.nested("table");
  return {static_cast<uint8_t>(table.number("family")), table.text("name")};
}

Element element_of(const Fields& object) {
  return {.family = static_cast<uint8_t>(object.number("family")),
          .set = object.text("set"),
          .key = object.bytes("key"),
          .key_end = object.bytes("keyEnd"),
          .data = object.bytes("data"),
          .comment = object.text("comment"),
          .exclusive = object.truth("exclusive")};
}

Flow flow_of(const Fields& object) {
  return {.family = static_cast<uint8_t>(object.number("family")),
          .protocol = static_cast<uint8_t>(object.number("protocol")),
          .address = object.bytes("address"),
          .port = static_cast<uint16_t>(object.number("port"))};
}

PortSets port_sets_of(const Fields& object) {
  return {.family = static_cast<uint8_t>(object.number("family")),
          .published = object.text("published"),
          .maps = object.list_of<PortMap>(
              "maps", [](const Fields& map) { return PortMap{map.text("map"), map.text("limited"), map.text("allowed")}; }),
          .open = object.texts("open")};
}

AddressIn address_in(const std::string& word) {
  return word == "data" ? AddressIn::data : word == "key" ? AddressIn::key : AddressIn::neither;
}

AddressFamily family_of(const Fields& object) {
  return {.prefix_length = static_cast<uint8_t>(object.number("prefixLength")),
          .ports = port_sets_of(object.nested("ports")),
          .gateway = object.bytes("gateway")};
}

Lease lease_of(const Fields& object) {
  return {.host_ifname = object.text("hostIfname"),
          .claim = object.text("claim"),
          .addresses = object.bytes_list("addresses"),
          .mac = object.bytes("mac"),
          .senders = object.list_of<Element>("senders", element_of)};
}

SenderSets sender_sets_of(const Fields& object) {
  return {.family = static_cast<uint8_t>(object.number("family")),
          .networks = object.text("networks"),
          .chosen = object.text("chosen"),
          .sets = object.texts("sets")};
}

PublishedElement published_element_of(const Fields& element) {
  return {element_of(element), element.number("address"), address_in(element.text("addressIn"))};
}

HostPort host_port_of(const Fields& object) {
  return {.protocol = static_cast<uint8_t>(object.number("protocol")),
          .address = object.bytes("address"),
          .port = static_cast<uint16_t>(object.number("port"))};
}

AttachPlan attach_plan(const Fields& object) {
  AttachPlan plan;
  plan.ipv6 = object.truth("ipv6");
  plan.master = object.number("master");
  plan.host_mac = object.bytes("hostMac");
  plan.mtu = object.number("mtu");
  plan.group = object.number("group");
  plan.loose = object.truth("loose");
  plan.isolated = object.truth("isolated");
  plan.index = object.number("index");
  plan.ifname = object.text("ifname");
  plan.alias = object.text("alias");
  plan.altname = object.text("altname");
  plan.families = object.list_of<AddressFamily>("families", family_of);
  plan.leases = object.list_of<Lease>("leases", lease_of);
  plan.routes = object.list_of<AttachRoute>("routes", [](const Fields& route) {
    return AttachRoute{route.bytes("to"),      static_cast<uint8_t>(route.number("prefixLength")),
                       route.bytes("gateway"), route.truth("onlink"),
                       route.number("metric"), static_cast<uint8_t>(route.number("type"))};
  });
  plan.sysctls = object.list_of<AttachSysctl>("sysctls", [](const Fields& setting) {
    return AttachSysctl{setting.text("path"), setting.text("value"), setting.truth("ofDevice")};
  });
  plan.host_ports = object.list_of<HostPort>("hostPorts", host_port_of);
  plan.elements = object.list_of<PublishedElement>("elements", published_element_of);
  plan.flows = object.list_of<Flow>("flows", flow_of);
  plan.table = table_of(object);
  plan.senders = sender_sets_of(object.nested("senders"));
  plan.networks_set = object.text("networksSet");
  plan.networks_comment = object.text("networksComment");
  plan.members = object.list_of<Member>(
      "members", [](const Fields& member) { return Member{published_element_of(member), member.truth("isMember")}; });
  return plan;
}

Napi::Value attach_container(const Napi::CallbackInfo& info) {
  const Value given = unpacked(info[2]);
  auto plan = std::make_shared<AttachPlan>(attach_plan(Fields(info.Env(), given)));
  plan->host = unwrap(info[0]);
  if (!info[1].IsUndefined()) plan->inside = unwrap(info[1]);
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
          },
          info[3].ToBoolean());
}

Napi::Value detach_containers(const Napi::CallbackInfo& info) {
  const Value given = unpacked(info[1]);
  const Fields object(info.Env(), given);
  auto plan = std::make_shared<DetachPlan>();
  plan->host = unwrap(info[0]);
  plan->host_indexes = object.numbers("hostIndexes");
  plan->elements = object.list_of<Element>("elements", element_of);
  plan->marks = object.list_of<Element>("marks", element_of);
  plan->addresses = object.bytes_list("addresses");
  plan->members = object.list_of<Element>("members", element_of);
  plan->table = table_of(object);
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit(info.Env(), [plan](Home& home) { return detach(home, *plan); }, info[2].ToBoolean());
}

// The ports of an endpoint at run time: published, or withdrawn.
Napi::Value change_ports(const Napi::CallbackInfo& info) {
  const Value given = unpacked(info[1]);
  const Fields object(info.Env(), given);
  const SharedNamespace host = unwrap(info[0]);
  auto elements = std::make_shared<const std::vector<Element>>(object.list_of<Element>("elements", element_of));
  auto marks = std::make_shared<const std::vector<Element>>(object.list_of<Element>("marks", element_of));
  auto flows = std::make_shared<const std::vector<Flow>>(object.list_of<Flow>("flows", flow_of));
  auto ports = std::make_shared<const std::vector<HostPort>>(object.list_of<HostPort>("hostPorts", host_port_of));
  const TableName table = table_of(object);
  const bool add_them = object.truth("publish");
  return Environment::of(info.Env())
      .executor(info.Env())
      .submit(
          info.Env(),
          [=](Home& home) -> Result<void> {
            if (auto free = require_free(home, *host, *ports); !free) return free;
            auto netfilter = host->socket(home, NETLINK_NETFILTER);
            if (!netfilter) return netfilter.error();
            const auto forget = [&] { return flush_flows(*netfilter.value(), *flows); };
            if (!add_them) return withdraw(*netfilter.value(), table, *elements, *marks, forget);
            if (auto done = publish(*netfilter.value(), table, *elements); !done) return done;
            return forget();
          },
          info[2].ToBoolean());
}

}  // namespace

void export_container(Napi::Env env, Napi::Object exports) {
  add(env, exports, "attach", attach_container);
  add(env, exports, "detach", detach_containers);
  add(env, exports, "changePorts", change_ports);
}

}  // namespace netlink_ct::node
