#include "port.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

enum {
  first_port = 10000,
  // nft's numbers of the types, which the kernel only keeps; six bits each in a concatenation.
  type_address = 7,
  type_protocol = 12,
  type_service = 13,
};

static const char table_name[] = "floor", map_name[] = "ports";

static struct nlmsghdr* add(struct exchange* netfilter, int type, int flags) {
  struct nlmsghdr* message = exchange_add(netfilter, (NFNL_SUBSYS_NFTABLES << 8) | type, flags);
  struct nfgenmsg* fixed = mnl_nlmsg_put_extra_header(message, sizeof *fixed);
  fixed->nfgen_family = NFPROTO_IPV4;
  return message;
}

static void add_edge(struct exchange* netfilter, int type) {
  struct nlmsghdr* message = exchange_add(netfilter, type, 0);
  struct nfgenmsg* fixed = mnl_nlmsg_put_extra_header(message, sizeof *fixed);
  fixed->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

static void put_number(struct nlmsghdr* message, int type, uint32_t number) {
  mnl_attr_put_u32(message, (uint16_t)type, htonl(number));
}

static void put_fields(struct nlmsghdr* message, const uint32_t* lengths, size_t count) {
  struct nlattr* description = mnl_attr_nest_start(message, NFTA_SET_DESC);
  struct nlattr* concatenation = mnl_attr_nest_start(message, NFTA_SET_DESC_CONCAT);
  for (size_t i = 0; i < count; i++) {
    struct nlattr* field = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    put_number(message, NFTA_SET_FIELD_LEN, lengths[i]);
    mnl_attr_nest_end(message, field);
  }
  mnl_attr_nest_end(message, concatenation);
  mnl_attr_nest_end(message, description);
}

void ports_create(struct exchange* netfilter) {
  add_edge(netfilter, NFNL_MSG_BATCH_BEGIN);
  struct nlmsghdr* message = add(netfilter, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
  mnl_attr_put_strz(message, NFTA_TABLE_NAME, table_name);

  message = add(netfilter, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
  mnl_attr_put_strz(message, NFTA_SET_TABLE, table_name);
  mnl_attr_put_strz(message, NFTA_SET_NAME, map_name);
  put_number(message, NFTA_SET_ID, 1);
  put_number(message, NFTA_SET_FLAGS, NFT_SET_MAP | NFT_SET_CONCAT);
  put_number(message, NFTA_SET_KEY_TYPE, type_protocol << 6 | type_service);
  put_number(message, NFTA_SET_KEY_LEN, 8);
  put_number(message, NFTA_SET_DATA_TYPE, type_address << 6 | type_service);
  put_number(message, NFTA_SET_DATA_LEN, 8);
  put_fields(message, (const uint32_t[]){1, 2}, 2);

  add_edge(netfilter, NFNL_MSG_BATCH_END);
  exchange_run(netfilter, "map of ports");
}

static void put_value(struct nlmsghdr* message, int type, const void* bytes, size_t length) {
  struct nlattr* value = mnl_attr_nest_start(message, (uint16_t)type);
  mnl_attr_put(message, NFTA_DATA_VALUE, length, bytes);
  mnl_attr_nest_end(message, value);
}

void port_publish(struct exchange* netfilter, int number) {
  // Every field of a concatenation is padded to four bytes.
  unsigned char key[8] = {IPPROTO_TCP}, data[8] = {172, 18, 0, 10, 0, 80};
  const uint16_t port = htons((uint16_t)(first_port + number));
  memcpy(key + 4, &port, sizeof port);

  add_edge(netfilter, NFNL_MSG_BATCH_BEGIN);
  struct nlmsghdr* message = add(netfilter, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL);
  mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table_name);
  mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, map_name);
  struct nlattr* elements = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
  struct nlattr* element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  put_value(message, NFTA_SET_ELEM_KEY, key, sizeof key);
  put_value(message, NFTA_SET_ELEM_DATA, data, sizeof data);
  mnl_attr_nest_end(message, element);
  mnl_attr_nest_end(message, elements);
  add_edge(netfilter, NFNL_MSG_BATCH_END);
  exchange_run(netfilter, "publish");
}
