#include "core/container/attach.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "core/netlink/codec.h"
#include "core/netlink/submission.h"
#include "core/netns/sysctl.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr uint32_t loopback_index = 1;
constexpr uint32_t first_index = 2;  // of a new namespace, after its loopback
constexpr int most_index_clashes = 8;

// The kernel counts its own indexes up from 1, far below this range.
Result<uint32_t> random_index() {
  uint32_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return system_error("getrandom");
  return (number & 0x3fffffffU) | 0x40000000U;
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

class Attachment {
 public:
  Attachment(Home& home, const AttachPlan& plan) : home_(home), plan_(plan) {}

  Result<Attached> run() {
    auto done = prepare();
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
  Result<void> settle_host_end();
  Result<void> configure();
  Result<void> open_ports();
  void add_create(Submission& submission, const Lease& lease, uint32_t peer_index);
  void add_follow_ups(Submission& submission);
  Result<void> undo_follow_ups(const Outcome& before, const std::vector<Outcome>& outcomes);
  Result<bool> name_taken_inside();
  void roll_back();

  [[nodiscard]] const Lease& lease() const { return plan_.leases[attached_.lease]; }

  Home& home_;
  const AttachPlan& plan_;
  Attached attached_;
  Socket* host_ = nullptr;
  Socket* inside_ = nullptr;
  bool created_ = false;
  bool loopback_was_down_ = false;
};

Result<void> Attachment::prepare() {
  auto host = plan_.host->socket(home_, NETLINK_ROUTE);
  if (!host) return host.error();
  host_ = host.value();
  attached_.inside = plan_.inside;
  if (!plan_.inside) {
    std::optional<Namespace> made;
    auto created = home_.create([&]() -> Result<void> {
      // Before the link arrives, so that it inherits the setting: otherwise each new port of a bridge sends neighbor discovery.
      return plan_.ipv6 ? Result<void>() : write_sysctl_here("ipv6/conf/default/disable_ipv6", "1");
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
  message.put(IFLA_MASTER, plan_.master);
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

// The kernel ignores them at create. By the index chosen here, never by the name: after a create that failed the name is somebody
// else's.
void Attachment::add_follow_ups(Submission& submission) {
  MessageBuffer& alias = submission.add(rtm::setlink, 0, "write the endpoint's alias");
  link_header(alias, attached_.host_index);
  alias.put(IFLA_IFALIAS, bytes_of(plan_.alias));
  MessageBuffer& name =
      submission.add(rtm::newlinkprop, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, "claim the name " + plan_.altname);
  link_header(name, attached_.host_index);
  const size_t list = name.begin(IFLA_PROP_LIST);
  name.put(IFLA_ALT_IFNAME, std::string_view(plan_.altname));
  name.end(list);
}

// The index was another device's, so the follow-ups hit that one: give it back what it had.
Result<void> Attachment::undo_follow_ups(const Outcome& before, const std::vector<Outcome>& outcomes) {
  Submission submission(*host_);
  if (!outcomes[2].error) {
    const Value* alias = find(before.replies[0], "alias");
    MessageBuffer& message = submission.add(rtm::setlink, 0, "give back an alias");
    link_header(message, attached_.host_index);
    // Without the NUL: a length of zero is what removes an alias.
    const auto* text = alias == nullptr ? nullptr : alias->get<std::string>();
    const std::string old = text == nullptr ? std::string() : *text;
    message.put(IFLA_IFALIAS, bytes_of(old));
  }
  if (!outcomes[3].error) {
    MessageBuffer& message = submission.add(rtm::dellinkprop, 0, "give back a name");
    link_header(message, attached_.host_index);
    const size_t list = message.begin(IFLA_PROP_LIST);
    message.put(IFLA_ALT_IFNAME, std::string_view(plan_.altname));
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
      auto index = random_index();
      if (!index) return index.error();
      attached_.host_index = index.value();
    }
    attached_.index = plan_.inside ? attached_.host_index : first_index;

    Submission submission(*host_);
    // Tells whose index it was, should the create say EEXIST.
    ask_link(submission, attached_.host_index, {});
    add_create(submission, candidate, attached_.index);
    add_follow_ups(submission);
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
      if (auto undone = undo_follow_ups(before, outcomes.value()); !undone) return undone.error();
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
  auto outcomes = questions.run();
  if (!outcomes) return outcomes.error();
  std::vector<bool> taken;
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
    if (plan_.published_set.empty()) return {};
    // Before the address can serve anyone: no port of a dead container may point at it.
    auto netfilter = plan_.host->socket(home_, NETLINK_NETFILTER);
    if (!netfilter) return netfilter.error();
    auto forgotten = forget_address(*netfilter.value(), plan_.table, plan_.published_set, plan_.port_maps, lease().address);
    // Nor may a connection that conntrack remembers, to one of them.
    auto flushed = forgotten && forgotten.value() ? flush_flows_to(*netfilter.value(), lease().address) : Result<void>();
    if (forgotten && flushed) return {};
    Error error = forgotten ? flushed.error() : forgotten.error();
    error.step = "withdraw the ports of a dead container";
    return error;
  }
  attached_.lease = 0;
  return Error{.code = EADDRNOTAVAIL, .syscall = "RTM_NEWLINK", .step = "lease an address", .extack = {}, .attribute = {}};
}

// What the host end gets once it is certainly ours: a misdirected follow-up would have to be undone.
Result<void> Attachment::settle_host_end() {
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
  if (plan_.isolated || publishes) {
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

Result<void> Attachment::configure() {
  if (plan_.inside) {
    if (!plan_.ipv6) {
      auto written = write_sysctl(home_, *plan_.inside, "ipv6/conf/" + plan_.ifname + "/disable_ipv6", "1");
      // A kernel without IPv6 has nothing to turn off.
      if (!written && written.error().code != ENOENT) return written;
    }
    Submission question(*inside_);
    ask_link(question, loopback_index, {});
    auto outcomes = question.run();
    if (const Error* error = error_of(outcomes)) return *error;
    const Value* flags = find(outcomes.value()[0].replies.at(0), "flags");
    loopback_was_down_ = flags != nullptr && (static_cast<unsigned>(*flags->get<int64_t>()) & IFF_UP) == 0;
  }

  Submission submission(*inside_);
  link_header(submission.add(rtm::newlink, 0, "set lo up inside"), loopback_index, IFF_UP);
  link_header(submission.add(rtm::newlink, 0, "set " + plan_.ifname + " up inside"), attached_.index, IFF_UP);

  const Bytes& address = lease().address;
  const bool six = address.size() == 16;
  MessageBuffer& add = submission.add(rtm::newaddr, NLM_F_CREATE | NLM_F_EXCL, "add the address inside");
  auto& header = add.header<ifaddrmsg>();
  header.ifa_family = six ? AF_INET6 : AF_INET;
  header.ifa_prefixlen = plan_.prefix_length;
  header.ifa_index = attached_.index;
  if (six) header.ifa_flags = IFA_F_NODAD;
  add.put(IFA_LOCAL, std::span<const uint8_t>(address));
  add.put(IFA_ADDRESS, std::span<const uint8_t>(address));
  if (!six && plan_.prefix_length < 31) {
    Bytes broadcast = address;
    for (unsigned bit = plan_.prefix_length; bit < 32; ++bit) broadcast[bit / 8] |= static_cast<uint8_t>(0x80U >> (bit % 8));
    add.put(IFA_BROADCAST, std::span<const uint8_t>(broadcast));
  }

  for (const AttachRoute& route : plan_.routes) {
    const std::string step = route.destination.empty() ? "add the default route inside" : "add a route inside";
    MessageBuffer& message = submission.add(rtm::newroute, NLM_F_CREATE | NLM_F_EXCL, step);
    auto& fixed = message.header<rtmsg>();
    fixed.rtm_family = six ? AF_INET6 : AF_INET;
    fixed.rtm_dst_len = route.prefix_length;
    fixed.rtm_table = RT_TABLE_MAIN;
    fixed.rtm_protocol = RTPROT_STATIC;
    fixed.rtm_type = RTN_UNICAST;
    fixed.rtm_scope = route.gateway.empty() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    if (!route.destination.empty()) message.put(RTA_DST, std::span<const uint8_t>(route.destination));
    if (!route.gateway.empty()) message.put(RTA_GATEWAY, std::span<const uint8_t>(route.gateway));
    message.put(RTA_OIF, attached_.index);
  }
  const auto outcomes = submission.run();
  if (const Error* error = error_of(outcomes)) return *error;
  return {};
}

Result<void> Attachment::open_ports() {
  if (plan_.elements.empty()) return {};
  auto netfilter = plan_.host->socket(home_, NETLINK_NETFILTER);
  if (!netfilter) return netfilter.error();
  std::vector<Element> elements;
  elements.reserve(plan_.elements.size());
  const Bytes& address = lease().address;
  for (const PublishedElement& published : plan_.elements) {
    Element element = published.element;
    Bytes& holder = published.address_in_data ? element.data : element.key;
    holder.insert(holder.begin(), address.begin(), address.end());
    elements.push_back(std::move(element));
  }
  if (auto done = publish(*netfilter.value(), plan_.table, elements); !done) return done;
  auto flushed = flush_flows(*netfilter.value(), plan_.flows);
  if (flushed) return {};
  // The ports stand already: they go again, the first error is the one that is told.
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
  if (loopback_was_down_) {
    Submission submission(*inside_);
    auto& header = link_header(submission.add(rtm::newlink, 0), loopback_index);
    header.ifi_change = IFF_UP;
    static_cast<void>(submission.run());
  }
}

}  // namespace

Result<Attached> attach(Home& home, const AttachPlan& plan) { return Attachment(home, plan).run(); }

}  // namespace netlink_ct
