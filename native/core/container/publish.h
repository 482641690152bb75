// Published ports: elements of the firewall table's maps. No rule is touched, nothing is parsed or compiled here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/netlink/message.h"
#include "core/netlink/socket.h"
#include "core/netlink/value.h"
#include "core/result.h"

namespace netlink_ct {

// One element, in the kernel's encoding. `key_end` is empty where the set holds no intervals, `data` in a set.
struct Element {
  uint8_t family;  // of the table, which has the same name in each
  std::string set;
  Bytes key;
  Bytes key_end;
  Bytes data;
  std::string comment;
  bool exclusive = true;  // EEXIST when the key is there already
};

// Where the table is.
struct TableName {
  uint8_t family;
  std::string name;
};

// A transport flow that conntrack may still send to somebody else: UDP has no end of connection.
struct Flow {
  uint8_t family;  // AF_INET or AF_INET6
  uint8_t protocol;
  Bytes address;  // original destination; empty for any
  uint16_t port;  // original destination
};

// Adds all of the elements or none. `renewed` take the place of those of their keys, whoever's these were: of containers that
// died.
Result<void> publish(Socket& netfilter, const TableName& table, const std::vector<Element>& elements,
                     const std::vector<Element>& renewed = {});

// Takes elements out of sets, whether they are there or not, and puts elements in, all in one transaction.
Result<void> exchange(Socket& netfilter, const TableName& table, const std::vector<Element>& out, const std::vector<Element>& in);

// Removes those of the elements that still hold the data and the comment given, in one transaction that fails over to a new look
// when somebody changed the ruleset in between: an element that another container has published since is never touched. Absent
// ones are no error.
Result<void> unpublish(Socket& netfilter, const TableName& table, const std::vector<Element>& elements);

// The same for `elements`, then `forget` has conntrack forget what went by them, and the `marks` go last: they tell whoever gets
// the address next that something may still lead there, should this process die in between.
Result<void> withdraw(Socket& netfilter, const TableName& table, const std::vector<Element>& elements,
                      const std::vector<Element>& marks, const std::function<Result<void>()>& forget);

// A map whose data start with the address of a container, and who may ask for its ports.
struct PortMap {
  std::string map;
  std::string limited;  // has the keys of ports that not everybody may ask for
  std::string allowed;  // whose keys start with those of `limited`
};

// Where the ports of a container are.
struct PortSets {
  uint8_t family;         // of the table
  std::string published;  // has the address when it has ports
  std::vector<PortMap> maps;
  std::vector<std::string> open;  // whose keys start with the address
};

// An address of a container, and where its ports are; or something else by which its elements are found.
struct PublishedAddress {
  Bytes address;
  PortSets sets;
  std::string comment = {};  // of the element that was found
};

// Those of the addresses that have ports, asked in one submission.
Result<std::vector<PublishedAddress>> published_among(Socket& netfilter, const TableName& table,
                                                      const std::vector<PublishedAddress>& addresses);

// Removes every element that leads to the address, and who may ask for it: the ports of a container that died with it. Then
// `forget`, and the address's own element last.
Result<void> forget_address(Socket& netfilter, const TableName& table, const PublishedAddress& address,
                            const std::function<Result<void>()>& forget);

// Deletes the conntrack entries of everything that `address` answers, whatever it was called by.
Result<void> flush_flows_to(Socket& netfilter, const Bytes& address);

// Deletes the conntrack entries of the flows, so that a client keeps no way to a container that is gone.
Result<void> flush_flows(Socket& netfilter, const std::vector<Flow>& flows);

}  // namespace netlink_ct
