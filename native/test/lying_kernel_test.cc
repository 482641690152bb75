// Exchanges with a peer that is no kernel: the other end of a socketpair, which says what a test puts into its mouth.
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "core/netlink/dump.h"
#include "core/netlink/registry.h"
#include "core/netlink/submission.h"
#include "support.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes number(int32_t value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Bytes message(uint16_t type, uint16_t flags, uint32_t sequence, const Bytes& payload) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(NLMSG_HDRLEN + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  Bytes bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes = bytes + payload;
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  return bytes;
}

Bytes text(uint16_t type, std::string_view words) {
  MessageBuffer buffer;
  buffer.start(NLMSG_ERROR, 0, 0);
  buffer.put(type, words);
  const auto bytes = buffer.bytes().subspan(NLMSG_HDRLEN);
  return {bytes.begin(), bytes.end()};
}

Bytes acknowledgement(uint32_t sequence, int32_t code = 0) {
  return message(NLMSG_ERROR, NLM_F_CAPPED, sequence, number(code) + Bytes(sizeof(nlmsghdr)));
}

Bytes link(uint32_t sequence, std::string_view name, uint16_t flags = NLM_F_MULTI) {
  return message(RTM_NEWLINK, flags, sequence, Bytes(sizeof(ifinfomsg)) + text(IFLA_IFNAME, name));
}

Bytes done(uint32_t sequence, uint16_t flags = 0) { return message(NLMSG_DONE, NLM_F_MULTI | flags, sequence, number(0)); }

// What the library asks and what the liar answers. The sequence numbers of a socket count from 1.
class Liar {
 public:
  explicit Liar(int protocol = NETLINK_ROUTE) : Liar(pair(), protocol) {}

  // One datagram, to be found by the next receive.
  Liar& says(const Bytes& datagram) {
    check(::send(other_.get(), datagram.data(), datagram.size(), 0) == static_cast<ssize_t>(datagram.size()), "it is said");
    return *this;
  }
  Socket& socket() { return socket_; }
  // The datagram that the library has sent.
  Bytes heard() {
    Bytes bytes(4096);
    const ssize_t length = recv(other_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    check(length >= 0, "something was said");
    bytes.resize(static_cast<size_t>(length));
    return bytes;
  }
  // How many datagrams the library has sent since the last time.
  int asked() {
    int count = 0;
    std::array<uint8_t, 4096> buffer{};
    while (recv(other_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) >= 0) ++count;
    return count;
  }

 private:
  static std::array<int, 2> pair() {
    std::array<int, 2> ends{};
    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0, "a pair of sockets");
    return ends;
  }
  Liar(std::array<int, 2> ends, int protocol) : other_(ends[0]), socket_(Socket::adopt(Fd(ends[1]), protocol)) {}

  Fd other_;
  Socket socket_;
};

// As many readings as there must be, and no time for more.
constexpr Patience short_patience{.readings = 5, .time = std::chrono::milliseconds(0)};

Result<Dump> dump_links(Liar& liar) {
  return dump(liar.socket(), *message_type("RTM_GETLINK"), {}, Unknown::drop, {}, short_patience);
}

std::string names(const Dump& found) {
  std::string all;
  for (size_t at = 0; at < found.objects.size(); ++at) {
    const Object object = found.objects.object(at);
    const Value* name = find(object, "name");
    all += (name == nullptr ? std::string("?") : *name->get<std::string>()) + " ";
  }
  return all;
}

// One change and one more; the second is acknowledged.
Result<std::vector<Outcome>> two_changes(Liar& liar, Acknowledge which = Acknowledge::last) {
  Submission submission(liar.socket());
  for (const char* name : {"a0", "b0"}) {
    auto added = submission.add(*message_type("RTM_NEWLINK"), NLM_F_CREATE, {{"name", name}}, std::string("make ") + name);
    check(static_cast<bool>(added), "it encodes");
  }
  return submission.run(which);
}
constexpr uint32_t first_change = 2;  // 1 is kept for NFNL_MSG_BATCH_BEGIN
constexpr uint32_t second_change = 3;

template <typename T>
void refused(const Result<T>& result, int code, std::string_view why,
             std::source_location where = std::source_location::current()) {
  check(!result, "it is refused", where);
  equal(result.error().code, code, where);
  equal(result.error().note, why, where);
}

void torn_once() {
  Liar liar;
  liar.says(link(1, "old0")).says(link(1, "old1", NLM_F_MULTI | NLM_F_DUMP_INTR)).says(done(1));
  liar.says(link(2, "new0") + link(2, "new1")).says(done(2));
  auto found = dump_links(liar);
  check(static_cast<bool>(found), "it succeeds");
  check(!found.value().torn, "it is whole");
  equal(names(found.value()), "new0 new1 ");
  equal(liar.asked(), 2);
}

void torn_at_the_end() {
  Liar liar;
  liar.says(link(1, "old0")).says(done(1, NLM_F_DUMP_INTR)).says(link(2, "new0")).says(done(2));
  auto found = dump_links(liar);
  check(found && !found.value().torn, "it is whole");
  equal(names(found.value()), "new0 ");
}

void torn_always() {
  Liar liar;
  for (uint32_t sequence = 1; sequence <= 9; ++sequence) {
    liar.says(link(sequence, "v" + std::to_string(sequence), NLM_F_MULTI | NLM_F_DUMP_INTR)).says(done(sequence));
  }
  auto found = dump_links(liar);
  check(static_cast<bool>(found), "it answers");
  check(found.value().torn, "it says that it is torn");
  equal(names(found.value()), "v5 ");
  equal(liar.asked(), 5);
  equal(found.value().readings, 5);
}

void warned_dump() {
  Liar liar;
  liar.says(message(NLMSG_DONE, NLM_F_MULTI | NLM_F_ACK_TLVS, 1, number(0) + text(NLMSGERR_ATTR_MSG, "not all of it")));
  auto found = dump_links(liar);
  check(found && found.value().warning.has_value(), "it has a warning");
  equal(found.value().warning->message, "not all of it");
}

void refused_dump() {
  Liar liar;
  liar.says(link(1, "a0"));
  liar.says(message(NLMSG_DONE, NLM_F_MULTI | NLM_F_ACK_TLVS, 1, number(-EINVAL) + text(NLMSGERR_ATTR_MSG, "bad request")));
  auto found = dump_links(liar);
  check(!found, "it is refused");
  equal(found.error().code, EINVAL);
  equal(found.error().extack, "bad request");
}

void overrun_dump() {
  // A real socket: it listens to a group whose news nobody reads, until the kernel drops some.
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  check(static_cast<bool>(fd), "a netlink socket");
  const int smallest = 0;
  const int group = RTNLGRP_LINK;
  check(setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest) == 0, "a small queue");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  check(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "a port");
  check(setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0, "a member");
  Socket socket = Socket::adopt(std::move(fd), NETLINK_ROUTE);
  auto other = Socket::open(NETLINK_ROUTE);
  check(static_cast<bool>(other), "another one");
  const auto toggle = [&](int64_t mtu) {
    Submission submission(other.value());
    check(static_cast<bool>(submission.add(*message_type("RTM_NEWLINK"), 0, {{"index", int64_t{1}}, {"mtu", mtu}})), "encodes");
    auto outcomes = submission.run();
    check(outcomes && first_error(outcomes.value()) == nullptr, "the mtu of lo changes");
  };
  for (int64_t mtu = 0; mtu < 20; ++mtu) toggle(60000 + mtu);
  toggle(65536);
  const MessageType& links = *message_type("RTM_GETLINK");
  auto once = dump(socket, links, {}, Unknown::drop, {}, {.readings = 1, .time = std::chrono::milliseconds(0)});
  check(!once, "what was lost is not passed over");
  equal(once.error().code, ENOBUFS);
  for (int64_t mtu = 0; mtu < 20; ++mtu) toggle(60000 + mtu);
  toggle(65536);
  auto found = dump(socket, links, {}, Unknown::drop);
  check(static_cast<bool>(found) && !found.value().torn, "it is asked again and whole");
  equal(names(found.value()).substr(0, 3), "lo ");
}

void strangers() {
  Liar liar;
  // What an earlier exchange left, and what nobody asked: other numbers.
  liar.says(link(0, "stale0")).says(done(0)).says(link(77, "early0")).says(link(1, "a0")).says(done(1));
  auto found = dump_links(liar);
  check(static_cast<bool>(found), "it succeeds");
  equal(names(found.value()), "a0 ");
}

void endless_silence() {
  Liar liar;
  refused(dump_links(liar), ENODATA, "the dump ended without its end");
  liar.says(link(2, "a0"));
  refused(dump_links(liar), ENODATA, "the dump ended without its end");
}

void broken_dumps() {
  const Bytes whole = link(1, "a0");
  Bytes longer = whole;
  longer[0] = static_cast<uint8_t>(longer[0] + 4);
  Bytes shorter = whole;
  shorter[0] = 15;
  Bytes attribute = whole;
  attribute[NLMSG_HDRLEN + sizeof(ifinfomsg)] = 0xff;
  const auto answered = [](const Bytes& datagram) {
    Liar liar;
    liar.says(datagram).says(link(1, "rest0")).says(done(1));
    auto found = dump_links(liar);
    // What is left of the exchange does not reach the next one.
    liar.says(link(2, "a0")).says(done(2));
    auto next = dump_links(liar);
    check(static_cast<bool>(next), "the socket goes on");
    equal(names(next.value()), "a0 ");
    return found;
  };
  refused(answered(Bytes(whole.begin(), whole.begin() + 12)), EBADMSG, "a message cut off inside its header");
  refused(answered(Bytes(whole.begin(), whole.end() - 4)), EBADMSG, "a message longer than what was received");
  refused(answered(longer), EBADMSG, "a message longer than what was received");
  refused(answered(shorter), EBADMSG, "a message shorter than its header");
  refused(answered(attribute), EBADMSG, "a length that does not fit");
  refused(answered(message(RTM_NEWLINK, NLM_F_MULTI, 1, Bytes(8))), EBADMSG, "a length that does not fit");
  refused(answered(message(NLMSG_DONE, NLM_F_MULTI, 1, {})), EBADMSG, "a malformed acknowledgement");
  refused(answered(message(NLMSG_ERROR, 0, 1, number(5))), EBADMSG, "a malformed acknowledgement");
  const auto large = answered(Bytes(70000, 0));
  refused(large, EMSGSIZE, "longer than the buffer of 65536 bytes");
}

void stale_acknowledgements() {
  Liar liar;
  // Of the exchange before, even a refusal; one of this twice, as after the autoload of a module; one of the future.
  liar.says(acknowledgement(0, -EPERM)).says(acknowledgement(first_change)).says(acknowledgement(first_change));
  liar.says(acknowledgement(99, -EPERM)).says(acknowledgement(second_change)).says(acknowledgement(second_change, -EBUSY));
  auto outcomes = two_changes(liar);
  check(outcomes && first_error(outcomes.value()) == nullptr, "both are done");
  // The second acknowledgement of the last is a stale one for the next exchange, which has the numbers 4 to 6.
  liar.says(acknowledgement(5, -EEXIST)).says(acknowledgement(6));
  outcomes = two_changes(liar);
  check(static_cast<bool>(outcomes), "it is answered");
  equal(outcomes.value()[0].error->code, EEXIST);
  equal(outcomes.value()[0].error->step, "make a0");
  equal(outcomes.value()[0].error->index, 0);
  check(!outcomes.value()[1].error, "the second is done");
}

void first_refusal_stands() {
  Liar liar;
  liar.says(acknowledgement(first_change, -EEXIST))
      .says(acknowledgement(first_change, -EBUSY))
      .says(acknowledgement(second_change));
  auto outcomes = two_changes(liar);
  check(static_cast<bool>(outcomes), "it is answered");
  equal(outcomes.value()[0].error->code, EEXIST);
}

void silence() {
  Liar liar;
  refused(two_changes(liar), ENODATA, "the kernel gave no answer");
  // Half an answer is none.
  liar.says(acknowledgement(5, -EEXIST));
  refused(two_changes(liar), ENODATA, "the kernel gave no answer");
}

void broken_answers() {
  const auto answered = [](const Bytes& datagram) {
    Liar liar;
    liar.says(datagram).says(acknowledgement(second_change));
    auto outcomes = two_changes(liar);
    liar.says(acknowledgement(6));
    auto next = two_changes(liar);
    check(next && first_error(next.value()) == nullptr, "the socket goes on");
    return outcomes;
  };
  const Bytes whole = acknowledgement(first_change);
  refused(answered(Bytes(whole.begin(), whole.begin() + 10)), EBADMSG, "a message cut off inside its header");
  refused(answered(Bytes(whole.begin(), whole.end() - 4)), EBADMSG, "a message longer than what was received");
  refused(answered(message(NLMSG_ERROR, 0, first_change, {1, 2})), EBADMSG, "a malformed acknowledgement");
  refused(answered(message(NLMSG_ERROR, 0, first_change, number(17))), EBADMSG, "a malformed acknowledgement");
  refused(answered(message(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, first_change,
                           number(-EINVAL) + Bytes(sizeof(nlmsghdr)) + Bytes{0xff, 0xff, 1, 0})),
          EBADMSG, "a malformed acknowledgement");
  refused(answered(message(RTM_NEWLINK, 0, first_change, Bytes(4))), EBADMSG, "a length that does not fit");
}

void warned() {
  Liar liar;
  const auto warning = [](uint32_t sequence, std::string_view words) {
    return message(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, sequence,
                   number(0) + Bytes(sizeof(nlmsghdr)) + text(NLMSGERR_ATTR_MSG, words));
  };
  liar.says(warning(first_change, "first")).says(warning(second_change, "second"));
  auto outcomes = two_changes(liar, Acknowledge::each_change);
  check(outcomes && first_error(outcomes.value()) == nullptr, "both are done");
  equal(outcomes.value()[0].warning->message, "first");
  equal(outcomes.value()[1].warning->message, "second");
}

Result<std::vector<Outcome>> transaction(Liar& liar) {
  Submission submission(liar.socket());
  auto added = submission.add(*message_type("NFT_MSG_NEWTABLE"), NLM_F_CREATE, {{"family", int64_t{2}}, {"name", "nat"}});
  check(static_cast<bool>(added), "it encodes");
  return submission.commit();
}
// Of the first transaction of a socket: begin 1, table 2, end 3.
constexpr uint32_t batch_begin = 1;
constexpr uint32_t batch_table = 2;
constexpr uint32_t batch_end = 3;

// As `nft add table ip nat` sends it, but for what nft adds of its own.
void transaction_bytes() {
  Liar liar(NETLINK_NETFILTER);
  liar.says(acknowledgement(batch_end));
  auto outcomes = transaction(liar);
  check(outcomes && first_error(outcomes.value()) == nullptr, "it is done");
  equal(liar.heard(), bytes_of("14000000 1000 0100 01000000 00000000 0000000a"
                               "1c000000 000a 0104 02000000 00000000 02000000 08000100 6e617400"
                               "14000000 1100 0500 03000000 00000000 0000000a"));
}

void transaction_answers() {
  {
    // An acknowledgement of the beginning says nothing: it comes also for a transaction that is refused.
    Liar liar(NETLINK_NETFILTER);
    liar.says(acknowledgement(batch_begin));
    refused(transaction(liar), ENODATA, "the kernel gave no answer");
  }
  {
    Liar liar(NETLINK_NETFILTER);
    liar.says(acknowledgement(batch_begin)).says(acknowledgement(batch_table, -EEXIST));
    auto outcomes = transaction(liar);
    check(static_cast<bool>(outcomes), "a refusal without the acknowledgement of the end is an answer");
    equal(outcomes.value()[0].error->code, EEXIST);
  }
  {
    Liar liar(NETLINK_NETFILTER);
    liar.says(acknowledgement(batch_begin, -EPERM));
    auto outcomes = transaction(liar);
    check(!outcomes, "it is refused as a whole");
    equal(outcomes.error().code, EPERM);
    equal(outcomes.error().syscall, "NFNL_MSG_BATCH_BEGIN");
  }
  {
    // A module was loaded and the transaction played again: two answers for each, and the next one has numbers of its own.
    Liar liar(NETLINK_NETFILTER);
    liar.says(acknowledgement(batch_end)).says(acknowledgement(batch_end));
    check(static_cast<bool>(transaction(liar)), "it is done");
    refused(transaction(liar), ENODATA, "the kernel gave no answer");
  }
}

}  // namespace

int main() {
  return run({
      {"a dump that is torn once is asked for again, and whole", torn_once},
      {"a dump is torn also when only its end says so", torn_at_the_end},
      {"a dump that is torn each time is asked for five times, and given as it is with the flag", torn_always},
      {"a warning at the end of a dump is kept", warned_dump},
      {"the end of a dump can be a refusal", refused_dump},
      {"a dump of which the kernel dropped something is asked for again", overrun_dump},
      {"answers with other sequence numbers are no part of a dump", strangers},
      {"a dump without an end is an error with a text", endless_silence},
      {"a datagram that lies about a length is an error, and the next dump is whole", broken_dumps},
      {"stale, repeated and early acknowledgements are passed over", stale_acknowledgements},
      {"the first refusal of a message stands", first_refusal_stands},
      {"no answer is an error with a text, and not a wait", silence},
      {"an answer that lies about a length is an error, and the next exchange is not disturbed", broken_answers},
      {"each change has its own warning", warned},
      {"a transaction lies between the begin and the end of nf_tables, and the end alone is acknowledged", transaction_bytes},
      {"a transaction is done when its end is acknowledged, and refused by whatever is", transaction_answers},
  });
}
