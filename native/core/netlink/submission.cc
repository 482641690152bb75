#include "core/netlink/submission.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "core/netlink/codec.h"
#include "core/netlink/extack.h"
#include "core/netlink/registry.h"

namespace netlink_ct {
namespace {

// Answers queue in the receive buffer until they are read; this many fit its smallest size with room to spare.
constexpr size_t most_messages = 128;

// An echo is the message with the kernel's own attributes added; a socket buffer that holds some of them counts for about twice
// their size.
constexpr size_t echo_overhead = 128;
constexpr size_t buffer_overhead = 3;

Error silence() {
  return Error{
      .code = ENODATA, .syscall = "recvmsg", .step = {}, .extack = {}, .attribute = {}, .note = "the kernel gave no answer"};
}

}  // namespace

MessageBuffer& Submission::add(const MessageType& type, uint16_t flags, std::string step) {
  entries_.push_back({&type, buffer_.size(), socket_.next_sequence(), std::move(step), {}});
  buffer_.start(type.number, static_cast<uint16_t>(NLM_F_REQUEST | flags), entries_.back().sequence);
  return buffer_;
}

Result<void> Submission::add(const MessageType& type, uint16_t flags, const Object& body, std::string step,
                             std::vector<std::string> wanted) {
  const int index = static_cast<int>(entries_.size());
  MessageBuffer& message = add(type, flags, std::move(step));
  entries_.back().wanted = std::move(wanted);
  auto done = encode(message, *type.schema, body);
  if (!done) {
    done.error().index = index;
    done.error().syscall = type.name;
  }
  return done;
}

std::span<const uint8_t> Submission::request(size_t index) const {
  const size_t end = index + 1 < entries_.size() ? entries_[index + 1].offset : buffer_.size();
  return buffer_.bytes().subspan(entries_[index].offset, end - entries_[index].offset);
}

size_t Submission::echoed() const {
  size_t bytes = 0;
  for (size_t index = 0; index < entries_.size(); ++index) {
    nlmsghdr header;
    std::memcpy(&header, request(index).data(), sizeof header);
    if ((header.nlmsg_flags & NLM_F_ECHO) != 0) bytes += header.nlmsg_len + echo_overhead;
  }
  return bytes;
}

Error Submission::explain(size_t index, const Acknowledgement& acknowledgement) const {
  const Entry& entry = entries_[index];
  Error error = netlink_ct::explain(*entry.type, request(index), acknowledgement);
  error.step = entry.step;
  error.index = static_cast<int>(index);
  return error;
}

void Submission::note() const {
  auto& transcript = socket_.desk().transcript;
  if (!transcript) return;
  for (size_t index = 0; index < entries_.size(); ++index) {
    const auto bytes = request(index);
    nlmsghdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    const auto payload = bytes.first(header.nlmsg_len).subspan(NLMSG_HDRLEN);
    transcript->push_back({.netns = socket_.netns(),
                           .type = std::string(entries_[index].type->name),
                           .flags = header.nlmsg_flags,
                           .bytes = {payload.begin(), payload.end()},
                           .step = entries_[index].step});
  }
}

Result<void> Submission::collect(std::vector<Outcome>& outcomes, Range range, uint32_t begin_sequence, uint32_t final_sequence) {
  auto collected = read_answers(outcomes, range, begin_sequence, final_sequence);
  if (!collected) socket_.drain();
  return collected;
}

// Reads until the answer to `final_sequence`. Answers from before `begin_sequence` belong to an exchange that was given up:
// skipped.
Result<void> Submission::read_answers(std::vector<Outcome>& outcomes, Range range, uint32_t begin_sequence,
                                      uint32_t final_sequence) {
  const auto [first, last] = range;
  bool finished = false;
  while (!finished) {
    auto datagram = socket_.receive();
    if (!datagram) return datagram.error();
    if (datagram.value().empty()) return silence();
    auto bytes = datagram.value();
    while (!bytes.empty()) {
      auto taken = take_message(bytes);
      if (!taken) return taken.error();
      const auto& [header, payload] = taken.value();
      if (header.nlmsg_seq - begin_sequence > final_sequence - begin_sequence) continue;
      const uint32_t position = header.nlmsg_seq - entries_[first].sequence;
      const bool is_message = position < last - first;
      const size_t index = first + position;
      if (header.nlmsg_type == NLMSG_ERROR) {
        auto acknowledgement = parse_acknowledgement(header, payload);
        if (!acknowledgement) return acknowledgement.error();
        if (acknowledgement.value().code == 0) {
          if (is_message) outcomes[index].warning = warning_of(*entries_[index].type, request(index), acknowledgement.value());
        } else if (is_message) {
          if (!outcomes[index].error) outcomes[index].error = explain(index, acknowledgement.value());
        } else {
          return Error{.code = acknowledgement.value().code,
                       .syscall = header.nlmsg_seq == begin_sequence ? "NFNL_MSG_BATCH_BEGIN" : "NFNL_MSG_BATCH_END",
                       .step = {},
                       .extack = acknowledgement.value().message,
                       .attribute = {}};
        }
        if (header.nlmsg_seq == final_sequence) finished = true;
      } else if (is_message && header.nlmsg_type >= NLMSG_MIN_TYPE) {
        const MessageType* type = message_type(socket_.protocol(), header.nlmsg_type);
        if (type == nullptr) continue;
        Packer packer;
        auto done = decode(packer, answer_schema(*type), payload, Unknown::drop, entries_[index].wanted);
        if (!done) return done;
        outcomes[index].replies.push_back(packer.release());
      }
    }
  }
  return {};
}

void Submission::ask_acknowledgements(Range range, Acknowledge which) {
  // An acknowledgement of the last says that all were taken; refusals of earlier ones arrive unasked.
  buffer_.add_flags(entries_[range.last - 1].offset, NLM_F_ACK);
  if (which == Acknowledge::last) return;
  for (size_t index = range.first; index < range.last; ++index) {
    if (!entries_[index].type->name.starts_with("RTM_GET")) buffer_.add_flags(entries_[index].offset, NLM_F_ACK);
  }
}

Result<std::vector<Outcome>> Submission::run(Acknowledge which) {
  note();
  std::vector<Outcome> outcomes(entries_.size());
  const size_t capacity = entries_.empty() ? 0 : socket_.capacity(0);
  for (size_t first = 0; first < entries_.size();) {
    size_t last = first;
    size_t end = entries_[first].offset;
    while (last < entries_.size() && last - first < most_messages) {
      const size_t next = last + 1 < entries_.size() ? entries_[last + 1].offset : buffer_.size();
      if (last > first && next - entries_[first].offset > capacity) break;
      end = next;
      ++last;
    }
    ask_acknowledgements({first, last}, which);
    auto sent = socket_.send(buffer_.bytes().subspan(entries_[first].offset, end - entries_[first].offset));
    if (!sent) return sent.error();
    auto collected = collect(outcomes, {first, last}, entries_[first].sequence, entries_[last - 1].sequence);
    if (!collected) return collected.error();
    first = last;
  }
  return outcomes;
}

Result<std::vector<Outcome>> Submission::commit(std::optional<uint32_t> generation) {
  std::vector<Outcome> outcomes(entries_.size());
  if (entries_.empty()) return outcomes;
  note();
  const auto batch = [](MessageBuffer& message) {
    auto& header = message.header<nfgenmsg>();
    header.nfgen_family = AF_UNSPEC;
    header.version = NFNETLINK_V0;
    header.res_id = htons(NFNL_SUBSYS_NFTABLES);
  };
  MessageBuffer whole;
  whole.start(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, batch_sequence_);
  batch(whole);
  if (generation) whole.put(NFNL_BATCH_GENID, htonl(*generation));
  const uint32_t final_sequence = socket_.next_sequence();
  MessageBuffer tail;
  // The acknowledgement is asked of the end: one of the begin would come even for a batch that is refused.
  tail.start(NFNL_MSG_BATCH_END, NLM_F_REQUEST | NLM_F_ACK, final_sequence);
  batch(tail);

  std::vector<uint8_t> bytes(whole.bytes().begin(), whole.bytes().end());
  bytes.insert(bytes.end(), buffer_.bytes().begin(), buffer_.bytes().end());
  bytes.insert(bytes.end(), tail.bytes().begin(), tail.bytes().end());
  if (socket_.capacity(bytes.size()) < bytes.size()) {
    return Error{.code = EMSGSIZE,
                 .syscall = "sendto",
                 .step = "one nf_tables transaction",
                 .extack = {},
                 .attribute = {},
                 .note = "larger than net.core.wmem_max allows"};
  }
  // The kernel sends all echoes before send(2) returns; what has no room is lost, and the transaction would seem to have failed.
  const size_t waiting = echoed() * buffer_overhead;
  if (socket_.receive_capacity(waiting) < waiting) {
    return Error{.code = EMSGSIZE,
                 .syscall = "recvmsg",
                 .step = "one nf_tables transaction",
                 .extack = "its echoes are larger than net.core.rmem_max allows",
                 .attribute = {}};
  }
  auto sent = socket_.send(bytes);
  if (!sent) return sent.error();
  auto collected = collect(outcomes, {0, entries_.size()}, batch_sequence_, final_sequence);
  // A refused batch may be answered by the refusals alone.
  if (!collected && !(collected.error().code == ENODATA && first_error(outcomes) != nullptr)) return collected.error();
  return outcomes;
}

const Error* first_error(const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) {
    if (outcome.error) return &*outcome.error;
  }
  return nullptr;
}

}  // namespace netlink_ct
