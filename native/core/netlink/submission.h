// Many messages in one sendmsg(2), each with its own outcome.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/netlink/extack.h"
#include "core/netlink/message.h"
#include "core/netlink/schema.h"
#include "core/netlink/socket.h"
#include "core/netlink/value.h"

namespace netlink_ct {

// Which messages of a submission the kernel is to acknowledge. A warning comes with an acknowledgement only; each costs a
// recvmsg(2).
enum class Acknowledge : uint8_t { last, each_change };

struct Outcome {
  std::optional<Error> error;
  std::optional<Warning> warning;
  std::vector<Bytes> replies;  // objects that came back, packed: what was asked for, or NLM_F_ECHO
};

// The messages of one exchange, with what is needed to explain a refusal.
class Submission {
 public:
  explicit Submission(Socket& socket) : socket_(socket), batch_sequence_(socket.next_sequence()) {}

  // Starts a message; append its header and attributes to buffer(). `step` says in words what it is for.
  MessageBuffer& add(const MessageType& type, uint16_t flags, std::string step = {});
  // The same from an object. `wanted`, of what comes back, as for decode().
  Result<void> add(const MessageType& type, uint16_t flags, const Object& body, std::string step = {},
                   std::vector<std::string> wanted = {});

  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }

  // Sends all, in as few system calls as the send buffer allows, and collects an outcome for each message. The kernel takes them
  // in order and goes on after an error. A Result error means that the exchange itself failed: the outcome is unknown then.
  Result<std::vector<Outcome>> run(Acknowledge which = Acknowledge::last);

  // Sends all between NFNL_MSG_BATCH_BEGIN and _END as one nf_tables transaction: all or nothing. `generation`: fail with
  // ERESTART unless the ruleset is still at it. When the batch is refused at least one outcome holds an error.
  Result<std::vector<Outcome>> commit(std::optional<uint32_t> generation = {});

 private:
  struct Entry {
    const MessageType* type;
    size_t offset;
    uint32_t sequence;
    std::string step;
    std::vector<std::string> wanted;
  };

  [[nodiscard]] std::span<const uint8_t> request(size_t index) const;
  // How many bytes of messages are to be echoed.
  [[nodiscard]] size_t echoed() const;
  [[nodiscard]] Error explain(size_t index, const Acknowledgement& acknowledgement) const;

  // The entries from first up to, without, last.
  struct Range {
    size_t first;
    size_t last;
  };
  void ask_acknowledgements(Range range, Acknowledge which);
  // For those who look at the library at work.
  void note() const;
  // After a failure nothing of the exchange is left in the queue.
  Result<void> collect(std::vector<Outcome>& outcomes, Range range, uint32_t begin_sequence, uint32_t final_sequence);
  Result<void> read_answers(std::vector<Outcome>& outcomes, Range range, uint32_t begin_sequence, uint32_t final_sequence);

  Socket& socket_;
  uint32_t batch_sequence_;  // of NFNL_MSG_BATCH_BEGIN, should there be one: just below the entries'
  MessageBuffer buffer_;
  std::vector<Entry> entries_;
};

// The first error among the outcomes: later ones are often its cascade.
const Error* first_error(const std::vector<Outcome>& outcomes);

}  // namespace netlink_ct
