#include "core/nftables/messages.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "core/nftables/schema.h"

namespace netlink_ct {
namespace {

// Since Linux 6.3, and in no header of Debian 12: as DEL, but what is absent already is no error.
constexpr int destroy_table = 26;    // NFT_MSG_DESTROYTABLE
constexpr int destroy_chain = 27;    // NFT_MSG_DESTROYCHAIN
constexpr int destroy_rule = 28;     // NFT_MSG_DESTROYRULE
constexpr int destroy_set = 29;      // NFT_MSG_DESTROYSET
constexpr int destroy_setelem = 30;  // NFT_MSG_DESTROYSETELEM
constexpr int destroy_obj = 31;      // NFT_MSG_DESTROYOBJ

constexpr uint16_t number(int message) { return static_cast<uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | message); }

constexpr MessageType messages[] = {
    {number(NFT_MSG_NEWTABLE), "NFT_MSG_NEWTABLE", &nftables::table_schema},
    {number(NFT_MSG_GETTABLE), "NFT_MSG_GETTABLE", &nftables::table_schema},
    {number(NFT_MSG_DELTABLE), "NFT_MSG_DELTABLE", &nftables::table_schema},
    {number(destroy_table), "NFT_MSG_DESTROYTABLE", &nftables::table_schema},
    {number(NFT_MSG_NEWCHAIN), "NFT_MSG_NEWCHAIN", &nftables::chain_schema},
    {number(NFT_MSG_GETCHAIN), "NFT_MSG_GETCHAIN", &nftables::chain_schema},
    {number(NFT_MSG_DELCHAIN), "NFT_MSG_DELCHAIN", &nftables::chain_schema},
    {number(destroy_chain), "NFT_MSG_DESTROYCHAIN", &nftables::chain_schema},
    {number(NFT_MSG_NEWRULE), "NFT_MSG_NEWRULE", &nftables::rule_schema},
    {number(NFT_MSG_GETRULE), "NFT_MSG_GETRULE", &nftables::rule_schema},
    {number(NFT_MSG_DELRULE), "NFT_MSG_DELRULE", &nftables::rule_schema},
    {number(destroy_rule), "NFT_MSG_DESTROYRULE", &nftables::rule_schema},
    {number(NFT_MSG_NEWSET), "NFT_MSG_NEWSET", &nftables::set_schema},
    {number(NFT_MSG_GETSET), "NFT_MSG_GETSET", &nftables::set_schema},
    {number(NFT_MSG_DELSET), "NFT_MSG_DELSET", &nftables::set_schema},
    {number(destroy_set), "NFT_MSG_DESTROYSET", &nftables::set_schema},
    {number(NFT_MSG_NEWSETELEM), "NFT_MSG_NEWSETELEM", &nftables::elements_schema},
    {number(NFT_MSG_GETSETELEM), "NFT_MSG_GETSETELEM", &nftables::elements_schema},
    {number(NFT_MSG_DELSETELEM), "NFT_MSG_DELSETELEM", &nftables::elements_schema},
    {number(destroy_setelem), "NFT_MSG_DESTROYSETELEM", &nftables::elements_schema},
    {number(NFT_MSG_NEWOBJ), "NFT_MSG_NEWOBJ", &nftables::object_schema},
    {number(NFT_MSG_GETOBJ), "NFT_MSG_GETOBJ", &nftables::object_schema},
    {number(NFT_MSG_DELOBJ), "NFT_MSG_DELOBJ", &nftables::object_schema},
    {number(destroy_obj), "NFT_MSG_DESTROYOBJ", &nftables::object_schema},
    {number(NFT_MSG_NEWGEN), "NFT_MSG_NEWGEN", &nftables::generation_schema},
    {number(NFT_MSG_GETGEN), "NFT_MSG_GETGEN", &nftables::generation_schema},
};

}  // namespace

std::span<const MessageType> nftables_messages() { return messages; }

}  // namespace netlink_ct
