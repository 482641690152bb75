#include "core/container/attach.h"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <ranges>

#include "core/netlink/codec.h"
#include "core/netlink/registry.h"
#include "core/netlink/submission.h"
#include "core/netns/sysctl.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr uint32_t loopback_index = 1;
constexpr uint32_t first_index = 2;  // of a new namespace, after its loopback
constexpr int most_index_clashes = 8;
constexpr uint32_t loose_rp_filter = 2;
constexpr const char* lease_step = "lease an address";
constexpr const char* claim_step = "claim an address";
constexpr const char* network_step = "find the network in the firewall";
constexpr const char* policy_step = "find the policies of the network as they were";

// The kernel counts its own indexes up from 1, far below this range.
constexpr uint32_t in_range(uint32_t number) { return (number & 0x3fffffffU) | 0x40000000U; }

// One after another from a start that no other process has: the kernel walks devices by index, and a walk takes several times as
// long where they are far apart. `elsewhere` is a new start, after an index that somebody had.
Result<uint32_t> next_index(bool elsewhere) {
  thread_local uint32_t last = 0;
  if (last == 0 || elsewhere) {
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number) return system_error("getrandom");
    last = in_range(number);
  } else {
    last = in_range(last + 1);
  }
  return last;
}

const Error* error_of(const Result<std::vector<Outcome>>& outcomes) {
  return outcomes ? first_error(outcomes.value()) : &outcomes.error();
}

ifinfomsg& link_header(MessageBuffer& message, uint32_t index, unsigned flags = 0) {
  auto& header = message.header<ifinfomsg>();
  header.ifi_index = static_cast<int>(index);
  header.ifi_flags = flags;
  header.ifi_change = flags;
  return header;
}

// An alias goes without its NUL: 255 characters fit then, and none removes it.
std::span<const uint8_t> bytes_of(const std::string& alias) {
  return {reinterpret_cast<const uint8_t*>(alias.data()), alias.size()};
}

// RTM_GETLINK without the statistics.
void ask_link(Submission& submission, uint32_t index, const std::string& name) {
  MessageBuffer& message = submission.add(rtm::getlink, 0);
  link_header(message, index);
  message.put(IFLA_EXT_MASK, uint32_t{RTEXT_FILTER_SKIP_STATS});
  if (!name.empty()) message.put(IFLA_IFNAME, std::string_view(name));
}

// A kernel without IPv6 has none of its settings.
Result<void> unless_lacking(Result<void> written) {
  if (!written && written.error().code == ENOENT) return {};
  return written;
}

// As the key of a set has it.
Bytes padded_name(const std::string& ifname) {
  Bytes name(ifname.begin(), ifname.end());
  name.resize(IFNAMSIZ);
  return name;
}

class Attachment {
 public:
  Attachment(Home& home, const AttachPlan& plan) : home_(home), plan_(plan) {}

  Result<Attached> run() {
    auto done = require_free(home_, *plan_.host, plan_.host_ports);
    if (done) done = prepare();
    if (done) done = take_lease();
    if (done) done = settle_host_end();
    if (done) done = configure();
    if (done) done = open_ports();
    if (done) return std::move(attached_);
    roll_back();
    return done.error();
  }

 private:
  Result<void> prepare();
  Result<std::vector<bool>> look_at_leases();
  Result<void> take_lease();
  Result<bool> try_lease(const Lease& lease);
  Result<void> forget_dead();
  Result<void> join_sets(Socket& netfilter);
  Result<void> settle_host_end();
  Result<void> prepare_inside();
  Result<void> write_asked_sysctls();
  Result<void> configure();
  Result<void> open_ports();
  void add_create(Submission& submission, const Lease& lease, uint32_t peer_index);
  void add_altname(Submission& submission, const std::string& altname, std::string step);
  void add_follow_ups(Submission& submission, const Lease& lease);
  Result<void> undo_follow_ups(const Lease& lease, const Outcome& before, const std::vector<Outcome>& outcomes);
  Result<bool> name_taken_inside();
  void roll_back();

  void add_ways_to(Submission& submission);

  [[nodiscard]] const Lease& lease() const { return plan_.leases[attached_.lease]; }
  [[nodiscard]] Settings ipv6_settings() const;

  Home& home_;
  const AttachPlan& plan_;
  Attached attached_;
  Socket* host_ = nullptr;
  Socket* inside_ = nullptr;
  bool created_ = false;
  std::vector<Element> joined_;               // sets of policies
  std::vector<const AttachRoute*> refusals_;  // routes that stand and do not go with the device
};

// The container's address is chosen here, and so is its way out: it waits for no router and for no duplicate.
Settings Attachment::ipv6_settings() const {
  if (!plan_.ipv6) return {{"disable_ipv6", "1"}};
  return {{"accept_ra", "0"}, {"accept_dad", "0"}, {"disable_ipv6", "0"}};
}

Result<void> Attachment::prepare() {
  auto host = plan_.host->socket(home_, NETLINK_ROUTE);
  if (!host) return host.error();
  host_ = host.value();
  attached_.inside = plan_.inside;
  if (!plan_.inside) {
    std::optional<Namespace> made;
    auto created = home_.create([&](Namespace& inside) -> Result<void> {
      if (auto socket = inside.socket_here(home_, NETLINK_ROUTE); !socket) return socket.error();
      // Before the link arrives, so that it inherits the settings: otherwise each new port of a bridge sends neighbor discovery.
      return unless_lacking(write_sysctls_here(home_, inside, "ipv6/conf/default", ipv6_settings()));
    });
    if (!created) return created.error();
    attached_.inside = std::make_shared<Namespace>(std::move(created.value()));
  }
  auto inside = attached_.inside->socket(home_, NETLINK_ROUTE);
  if (!inside) return inside.error();
  inside_ = inside.value();
  return {};
}

void Attachment::add_create(Submission& submission, const Lease& candidate, uint32_t peer_index) {
  MessageBuffer& message = submission.add(rtm::newlink, NLM_F_CREATE | NLM_F_EXCL, "make the veth pair " + candidate.host_ifname);
  link_header(message, attached_.host_index, IFF_UP);
  message.put(IFLA_IFNAME, std::string_view(candidate.host_ifname));
  if (plan_.master != 0) message.put(IFLA_MASTER, plan_.master);
  if (!plan_.host_mac.empty()) message.put(IFLA_ADDRESS, std::span<const uint8_t>(plan_.host_mac));
  message.put(IFLA_GROUP, plan_.group);
  if (plan_.mtu != 0) message.put(IFLA_MTU, plan_.mtu);
  const auto one_queue = [&] {
    message.put(IFLA_NUM_TX_QUEUES, uint32_t{1});
    message.put(IFLA_NUM_RX_QUEUES, uint32_t{1});
  };
  one_queue();
  const size_t info = message.begin(IFLA_LINKINFO);
  message.put(IFLA_INFO_KIND, std::string_view("veth"));
  const size_t data = message.begin(IFLA_INFO_DATA);
  const size_t peer = message.begin(VETH_INFO_PEER);
  auto& header = *static_cast<ifinfomsg*>(message.append(sizeof(ifinfomsg)));  // not IFF_UP: the kernel answers ENOTCONN
  header.ifi_index = static_cast<int>(peer_index);
  message.put(IFLA_IFNAME, std::string_view(plan_.ifname));
  message.put(IFLA_ADDRESS, std::span<const uint8_t>(candidate.mac));
  if (plan_.mtu != 0) message.put(IFLA_MTU, plan_.mtu);
  one_queue();
  message.put(IFLA_NET_NS_FD, static_cast<uint32_t>(attached_.inside->fd()));
  message.end(peer);
  message.end(data);
  message.end(info);
}

void Attachment::add_altname(Submission& submission, const std::string& altname, std::string step) {
  MessageBuffer& message = submission.add(rtm::newlinkprop, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, std::move(step));
  link_header(message, attached_.host_index);
  const size_t list = message.begin(IFLA_PROP_LIST);
  message.put(IFLA_ALT_IFNAME, std::string_view(altname));
  message.end(list);
}

// The kernel ignores them at create. By the index chosen here, never by the name: after a create that failed the name is somebody
// else's.
void Attachment::add_follow_ups(Submission& submission, const Lease& candidate) {
  MessageBuffer& alias = submission.add(rtm::setlink, 0, "write the endpoint's alias");
  link_header(alias, attached_.host_index);
  alias.put(IFLA_IFALIAS, bytes_of(plan_.alias));
  add_altname(submission, plan_.altname, "claim the name " + plan_.altname);
  if (!candidate.claim.empty()) add_altname(submission, candidate.claim, claim_step);
}

// The index was another device's, so the follow-ups hit that one: give it back what it had.
Result<void> Attachment::undo_follow_ups(const Lease& candidate, const Outcome& before, const std::vector<Outcome>& outcomes) {
  Submission submission(*host_);
  if (!outcomes[2].error) {
    const Object device = object_of(before.replies[0]);
    const Value* alias = find(device, "alias");
    MessageBuffer& message = submission.add(rtm::setlink, 0, "give back an alias");
    link_header(message, attached_.host_index);
    // Without the NUL: a length of zero is what removes an alias.
    const auto* text = alias == nullptr ? nullptr : alias->get<std::string>();
    const std::string old = text == nullptr ? std::string() : *text;
    message.put(IFLA_IFALIAS, bytes_of(old));
  }
  for (size_t at = 3; at < outcomes.size(); ++at) {
    if (outcomes[at].error) continue;
    MessageBuffer& message = submission.add(rtm::dellinkprop, 0, "give back a name");
    link_header(message, attached_.host_index);
    const size_t list = message.begin(IFLA_PROP_LIST);
    message.put(IFLA_ALT_IFNAME, std::string_view(at == 3 ? plan_.altname : candidate.claim));
    message.end(list);
  }
  const auto undone = submission.run();
  if (const Error* error = error_of(undone)) return *error;
  return {};
}

// EEXIST of a create means the host's name (the lease) or the container's name: only a look tells.
Result<bool> Attachment::name_taken_inside() {
  if (!plan_.inside) return false;
  Submission question(*inside_);
  ask_link(question, 0, plan_.ifname);
  auto outcomes = question.run();
  if (!outcomes) return outcomes.error();
  return !outcomes.value()[0].error;
}

// True when the lease is ours now, false when somebody has it.
Result<bool> Attachment::try_lease(const Lease& candidate) {
  for (int clash = 0;; ++clash) {
    if (plan_.index != 0 && clash == 0) {
      attached_.host_index = plan_.index;
    } else {
      auto index = next_index(clash > 0);
      if (!index) return index.error();
      attached_.host_index = index.value();
    }
    attached_.index = plan_.inside ? attached_.host_index : first_index;

    Submission submission(*host_);
    // Tells whose index it was, should the create say EEXIST.
    ask_link(submission, attached_.host_index, {});
    add_create(submission, candidate, attached_.index);
    add_follow_ups(submission, candidate);
    auto outcomes = submission.run();
    if (!outcomes) return outcomes.error();
    const Outcome& before = outcomes.value()[0];
    const Outcome& create = outcomes.value()[1];
    if (!create.error) {
      created_ = true;
      for (size_t at = 2; at < outcomes.value().size(); ++at) {
        if (outcomes.value()[at].error) return *outcomes.value()[at].error;
      }
      return true;
    }
    const bool index_taken = !before.replies.empty();
    if (index_taken) {
      if (auto undone = undo_follow_ups(candidate, before, outcomes.value()); !undone) return undone.error();
    }
    const bool clashed = (create.error->code == EEXIST && index_taken) || create.error->code == EBUSY;
    if (clashed && clash < most_index_clashes) continue;
    if (create.error->code != EEXIST || clashed) return *create.error;
    auto inside = name_taken_inside();
    if (!inside) return inside.error();
    if (!inside.value()) return false;
    Error error = *create.error;
    error.step = "name the interface " + plan_.ifname + " inside";
    return error;
  }
}

// A create that finds its name taken costs the kernel a grace period, a question nothing: only free ones are tried.
Result<std::vector<bool>> Attachment::look_at_leases() {
  Submission questions(*host_);
  for (const Lease& candidate : plan_.leases) ask_link(questions, 0, candidate.host_ifname);
  // The same for all that have one.
  const auto claiming = std::ranges::find_if(plan_.leases, [](const Lease& candidate) { return !candidate.claim.empty(); });
  if (claiming != plan_.leases.end()) ask_link(questions, 0, claiming->claim);
  auto outcomes = questions.run();
  if (!outcomes) return outcomes.error();
  std::vector<bool> taken;
  if (claiming != plan_.leases.end()) {
    if (!outcomes.value().back().error)
      return Error{.code = EEXIST, .syscall = "RTM_NEWLINKPROP", .step = claim_step, .extack = {}, .attribute = {}};
    outcomes.value().pop_back();
  }
  for (const Outcome& outcome : outcomes.value()) taken.push_back(!outcome.error);
  return taken;
}

Result<void> Attachment::take_lease() {
  auto seen = look_at_leases();
  if (!seen) return seen.error();
  for (attached_.lease = 0; attached_.lease < plan_.leases.size(); ++attached_.lease) {
    if (seen.value()[attached_.lease]) continue;
    auto taken = try_lease(lease());
    if (!taken) return taken.error();
    if (!taken.value()) continue;
    return forget_dead();
  }
  attached_.lease = 0;
  return Error{.code = EADDRNOTAVAIL, .syscall = "RTM_NEWLINK", .step = lease_step, .extack = {}, .attribute = {}};
}

// Before the addresses can serve anyone: the firewall knows the network, and no port of a dead container may point at them, nor a
// connection that conntrack remembers. Nor may the device send what a dead one of its name was allowed to.
Result<void> Attachment::forget_dead() {
  std::vector<PublishedAddress> networks;
  const auto* group = reinterpret_cast<const uint8_t*>(&plan_.group);
  const auto known_by = [&](uint8_t family, const std::string& set) {
    if (set.empty()) return;
    networks.push_back({Bytes(group, group + sizeof plan_.group), {.family = family, .published = set, .maps = {}, .open = {}}});
  };
  known_by(plan_.table.family, plan_.networks_set);
  known_by(plan_.senders.family, plan_.senders.networks);
  std::vector<PublishedAddress> addresses = networks;
  if (!plan_.senders.networks.empty())
    addresses.push_back(
        {padded_name(lease().host_ifname),
         {.family = plan_.senders.family, .published = plan_.senders.chosen, .maps = {}, .open = plan_.senders.sets}});
  for (size_t at = 0; at < plan_.families.size(); ++at) {
    const AddressFamily& family = plan_.families[at];
    if (!family.ports.published.empty()) addresses.push_back({lease().addresses[at], family.ports});
  }
  if (addresses.empty()) return {};
  auto netfilter = plan_.host->socket(home_, NETLINK_NETFILTER);
  if (!netfilter) return netfilter.error();
  auto dead = published_among(*netfilter.value(), plan_.table, addresses);
  if (dead) {
    auto& found = dead.value();
    const auto is_network = [&](const PublishedAddress& one) {
      return std::ranges::any_of(networks, [&](const PublishedAddress& network) {
        return network.sets.family == one.sets.family && network.sets.published == one.sets.published;
      });
    };
    // Somebody flushed the ruleset, or a part of it: a container without a firewall is reached by everybody.
    if (static_cast<size_t>(std::ranges::count_if(found, is_network)) < networks.size())
      return Error{.code = ENOENT, .syscall = "NFT_MSG_GETSETELEM", .step = network_step, .extack = {}, .attribute = {}};
    // They changed since `members` were chosen.
    const auto is_ours = [&](const PublishedAddress& one) { return one.sets.published == plan_.networks_set; };
    const auto known = std::ranges::find_if(found, is_ours);
    if (known != found.end() && known->comment != plan_.networks_comment)
      return Error{.code = ESTALE, .syscall = "NFT_MSG_GETSETELEM", .step = policy_step, .extack = {}, .attribute = {}};
    std::erase_if(found, is_network);
  }
  Result<void> done = dead ? Result<void>() : dead.error();
  for (size_t at = 0; done && at < dead.value().size(); ++at) {
    const PublishedAddress& one = dead.value()[at];
    const bool is_address = one.sets.published != plan_.senders.chosen;
    done = forget_address(*netfilter.value(), plan_.table, one, [&]() -> Result<void> {
      if (!is_address) return {};
      return flush_flows_to(*netfilter.value(), one.address);
    });
  }
  if (!done) {
    done.error().step = "withdraw the ports of a dead container";
    return done;
  }
  return join_sets(*netfilter.value());
}

// Before the container can send, or be sent, anything.
Result<void> Attachment::join_sets(Socket& netfilter) {
  std::vector<Element> out;
  std::vector<Element> in;
  for (const Member& member : plan_.members) {
    Element element = member.element.element;
    const Bytes& address = lease().addresses[member.element.address];
    element.key.insert(element.key.begin(), address.begin(), address.end());
    element.comment += " " + std::to_string(attached_.host_index);
    if (member.in) in.push_back(element);
    out.push_back(std::move(element));
    out.back().comment.clear();
  }
  auto done = exchange(netfilter, plan_.table, out, in);
  if (done) {
    joined_ = std::move(in);
    return done;
  }
  // A set that is not there any more is one of a policy that is not there any more.
  if (done.error().code == ENOENT) done.error().code = ESTALE;
  done.error().step = policy_step;
  return done;
}

void add_address(Submission& submission, uint32_t index, const Bytes& address, unsigned prefix_length) {
  const bool six = address.size() == 16;
  MessageBuffer& message = submission.add(rtm::newaddr, NLM_F_CREATE | NLM_F_EXCL, "add the address inside");
  auto& header = message.header<ifaddrmsg>();
  header.ifa_family = six ? AF_INET6 : AF_INET;
  header.ifa_prefixlen = static_cast<uint8_t>(prefix_length);
  header.ifa_index = index;
  if (six) header.ifa_flags = IFA_F_NODAD;
  message.put(IFA_LOCAL, std::span<const uint8_t>(address));
  message.put(IFA_ADDRESS, std::span<const uint8_t>(address));
  if (!six && prefix_length < 31) {
    Bytes broadcast = address;
    for (unsigned bit = prefix_length; bit < 32; ++bit) broadcast[bit / 8] |= static_cast<uint8_t>(0x80U >> (bit % 8));
    message.put(IFA_BROADCAST, std::span<const uint8_t>(broadcast));
  }
}

void add_route(Submission& submission, uint32_t index, const AttachRoute& route, const Bytes& source, std::string step) {
  MessageBuffer& message = submission.add(rtm::newroute, NLM_F_CREATE | NLM_F_EXCL, std::move(step));
  auto& header = message.header<rtmsg>();
  header.rtm_family = (route.gateway.empty() ? route.destination : route.gateway).size() == 16 ? AF_INET6 : AF_INET;
  header.rtm_dst_len = route.prefix_length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_type = route.type;
  header.rtm_scope = route.gateway.empty() && route.type == RTN_UNICAST ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  if (route.onlink) header.rtm_flags = RTNH_F_ONLINK;
  if (!route.destination.empty()) message.put(RTA_DST, std::span<const uint8_t>(route.destination));
  if (!route.gateway.empty()) message.put(RTA_GATEWAY, std::span<const uint8_t>(route.gateway));
  if (!source.empty()) message.put(RTA_PREFSRC, std::span<const uint8_t>(source));
  if (route.metric != 0) message.put(RTA_PRIORITY, route.metric);
  if (route.type == RTN_UNICAST) message.put(RTA_OIF, index);
}

void delete_route(Submission& submission, const AttachRoute& route) {
  MessageBuffer& message = submission.add(*message_type("RTM_DELROUTE"), 0);
  auto& header = message.header<rtmsg>();
  header.rtm_family = route.destination.size() == 16 ? AF_INET6 : AF_INET;
  header.rtm_dst_len = route.prefix_length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_type = route.type;
  message.put(RTA_DST, std::span<const uint8_t>(route.destination));
  if (route.metric != 0) message.put(RTA_PRIORITY, route.metric);
}

// What the files below ipv4/conf/<device> set, too.
void set_device(MessageBuffer& message, uint16_t setting, uint32_t value) {
  const size_t families = message.begin(IFLA_AF_SPEC);
  const size_t inet = message.begin(AF_INET);
  const size_t conf = message.begin(IFLA_INET_CONF);
  message.put(setting, value);
  message.end(conf);
  message.end(inet);
  message.end(families);
}

// Nobody has to ask for it, and it never counts against the limit of the neighbor table.
void add_neighbor(Submission& submission, uint32_t index, const Bytes& address, const Bytes& mac, std::string step) {
  MessageBuffer& message = submission.add(*message_type("RTM_NEWNEIGH"), NLM_F_CREATE | NLM_F_REPLACE, std::move(step));
  auto& header = message.header<ndmsg>();
  header.ndm_family = address.size() == 16 ? AF_INET6 : AF_INET;
  header.ndm_ifindex = static_cast<int>(index);
  header.ndm_state = NUD_PERMANENT;
  message.put(NDA_DST, std::span<const uint8_t>(address));
  message.put(NDA_LLADDR, std::span<const uint8_t>(mac));
}

// Of a host end that is no port of a bridge: the way to the container, and back to who asked on 127.0.0.1.
void Attachment::add_ways_to(Submission& submission) {
  MessageBuffer& local = submission.add(rtm::setlink, 0, "let localhost reach published ports");
  link_header(local, attached_.host_index);
  set_device(local, IPV4_DEVCONF_ROUTE_LOCALNET, 1);
  for (size_t at = 0; at < plan_.families.size(); ++at) {
    const Bytes& address = lease().addresses[at];
    const AttachRoute route{.destination = address, .prefix_length = static_cast<uint8_t>(address.size() * 8), .gateway = {}};
    add_route(submission, attached_.host_index, route, plan_.families[at].gateway, "route to the container");
    add_neighbor(submission, attached_.host_index, address, lease().mac, "make the container a neighbor");
  }
}

// What the host end gets once it is certainly ours: a misdirected follow-up would have to be undone.
Result<void> Attachment::settle_host_end() {
  const bool routed = plan_.master == 0;
  if (routed) {
    // A bridge takes what its ports hear; this one would listen to the container's router advertisements.
    auto done = unless_lacking(write_ipv6_sysctls(home_, *plan_.host, lease().host_ifname, ipv6_settings()));
    if (!done) return done;
  }
  Submission submission(*host_);
  // It has no use for a link-local address; without this it gets one, with its routes and its duplicate address detection, as
  // soon as the container's end comes up.
  MessageBuffer& quiet = submission.add(rtm::setlink, 0, "keep the host end without an IPv6 address");
  link_header(quiet, attached_.host_index);
  const size_t families = quiet.begin(IFLA_AF_SPEC);
  const size_t inet6 = quiet.begin(AF_INET6);
  quiet.put(IFLA_INET6_ADDR_GEN_MODE, uint8_t{IN6_ADDR_GEN_MODE_NONE});
  quiet.end(inet6);
  quiet.end(families);
  const bool publishes = !plan_.elements.empty();
  if (routed) {
    add_ways_to(submission);
  } else if (plan_.isolated || publishes) {
    MessageBuffer& port = submission.add(rtm::newlink, 0, "set the bridge port's options");
    link_header(port, attached_.host_index);
    const size_t info = port.begin(IFLA_LINKINFO);
    port.put(IFLA_INFO_SLAVE_KIND, std::string_view("bridge"));
    const size_t data = port.begin(IFLA_INFO_SLAVE_DATA);
    if (plan_.isolated) port.put(IFLA_BRPORT_ISOLATED, uint8_t{1});
    // br_netfilter sends a packet for the container's own published port back where it came from without routing it.
    if (publishes) port.put(IFLA_BRPORT_MODE, uint8_t{1});
    port.end(data);
    port.end(info);
  }
  auto outcomes = submission.run();
  if (!outcomes) return outcomes.error();
  const auto& quieted = outcomes.value()[0].error;
  // A kernel without IPv6 has no such addresses.
  if (quieted && quieted->code == EAFNOSUPPORT) outcomes.value()[0].error.reset();
  if (const Error* error = first_error(outcomes.value())) return *error;
  return {};
}

// A namespace that was there before.
Result<void> Attachment::prepare_inside() {
  auto done = unless_lacking(write_sysctls(home_, *plan_.inside, "ipv6/conf/" + plan_.ifname, ipv6_settings()));
  if (!done) return done;
  Submission question(*inside_);
  ask_link(question, loopback_index, {});
  auto outcomes = question.run();
  if (const Error* error = error_of(outcomes)) return *error;
  const Object loopback = object_of(outcomes.value()[0].replies.at(0));
  const Value* flags = find(loopback, "flags");
  attached_.loopback_was_down = flags != nullptr && (static_cast<unsigned>(*flags->get<int64_t>()) & IFF_UP) == 0;
  return {};
}

Result<void> Attachment::write_asked_sysctls() {
  for (const AttachSysctl& setting : plan_.sysctls) {
    Result<void> done;
    if (plan_.inside && !setting.of_device) {
      auto before = read_sysctl(home_, *plan_.inside, setting.path);
      if (before)
        attached_.sysctls_before.push_back({setting.path, before.value()});
      else
        done = before.error();
    }
    if (done) done = write_sysctl(home_, *attached_.inside, setting.path, setting.value);
    if (done) continue;
    done.error().step = "set net/" + setting.path + " to " + setting.value + " inside";
    return done;
  }
  return {};
}

Result<void> Attachment::configure() {
  if (plan_.inside) {
    if (auto done = prepare_inside(); !done) return done;
  }
  if (auto done = write_asked_sysctls(); !done) return done;
  Submission submission(*inside_);
  link_header(submission.add(rtm::newlink, 0, "set lo up inside"), loopback_index, IFF_UP);
  MessageBuffer& up = submission.add(rtm::newlink, 0, "set " + plan_.ifname + " up inside");
  link_header(up, attached_.index, IFF_UP);
  if (plan_.loose) set_device(up, IPV4_DEVCONF_RP_FILTER, loose_rp_filter);
  for (size_t at = 0; at < plan_.families.size(); ++at)
    add_address(submission, attached_.index, lease().addresses[at], plan_.families[at].prefix_length);
  for (size_t at = 0; plan_.master == 0 && at < plan_.families.size(); ++at)
    add_neighbor(submission, attached_.index, plan_.families[at].gateway, plan_.host_mac, "make the gateway a neighbor inside");
  for (const AttachRoute& route : plan_.routes)
    add_route(submission, attached_.index, route, {},
              route.destination.empty() ? "add the default route inside" : "add a route inside");
  const auto outcomes = submission.run();
  // The kernel goes on after an error. Routes are the last messages.
  for (size_t at = 0; outcomes && at < plan_.routes.size(); ++at) {
    const AttachRoute& route = plan_.routes[at];
    const Outcome& outcome = outcomes.value()[outcomes.value().size() - plan_.routes.size() + at];
    if (route.type != RTN_UNICAST && !outcome.error) refusals_.push_back(&route);
  }
  if (const Error* error = error_of(outcomes)) return *error;
  return {};
}

Result<void> Attachment::open_ports() {
  if (plan_.elements.empty() && lease().senders.empty()) return {};
  auto netfilter = plan_.host->socket(home_, NETLINK_NETFILTER);
  if (!netfilter) return netfilter.error();
  std::vector<Element> elements;
  elements.reserve(plan_.elements.size());
  for (const PublishedElement& published : plan_.elements) {
    const Bytes& address = lease().addresses[published.address];
    Element element = published.element;
    const auto prepend = [&](Bytes& bytes) { bytes.insert(bytes.begin(), address.begin(), address.end()); };
    if (published.address_in == AddressIn::data) prepend(element.data);
    if (published.address_in == AddressIn::key) {
      prepend(element.key);
      if (!element.key_end.empty()) prepend(element.key_end);
    }
    elements.push_back(std::move(element));
  }
  if (auto done = publish(*netfilter.value(), plan_.table, elements, lease().senders); !done) return done;
  auto flushed = flush_flows(*netfilter.value(), plan_.flows);
  if (flushed) return {};
  // The ports stand already: they go again, the first error is the one that is told.
  elements.insert(elements.end(), lease().senders.begin(), lease().senders.end());
  static_cast<void>(unpublish(*netfilter.value(), plan_.table, elements));
  return flushed;
}

// Only what our own create made. Deleting one end of the pair takes the other with its addresses and routes.
void Attachment::roll_back() {
  if (created_) {
    Submission submission(*host_);
    link_header(submission.add(rtm::dellink, 0), attached_.host_index);
    static_cast<void>(submission.run());  // the error that led here is the one to tell
  }
  if (!joined_.empty()) {
    if (auto netfilter = plan_.host->socket(home_, NETLINK_NETFILTER))
      static_cast<void>(unpublish(*netfilter.value(), plan_.table, joined_));
  }
  for (const AttachSysctl& setting : std::views::reverse(attached_.sysctls_before))
    static_cast<void>(write_sysctl(home_, *plan_.inside, setting.path, setting.value));
  if (attached_.loopback_was_down || !refusals_.empty()) {
    Submission submission(*inside_);
    for (const AttachRoute* route : refusals_) delete_route(submission, *route);
    if (attached_.loopback_was_down) {
      auto& header = link_header(submission.add(rtm::newlink, 0), loopback_index);
      header.ifi_change = IFF_UP;
    }
    static_cast<void>(submission.run());
  }
}

}  // namespace

Result<Attached> attach(Home& home, const AttachPlan& plan) { return Attachment(home, plan).run(); }

}  // namespace netlink_ct
