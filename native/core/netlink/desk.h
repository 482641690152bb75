// What the sockets of one thread share: room for what is received, and a transcript for those who look at the library at work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace netlink_ct {

// A message as it went, or a setting that was written.
struct Sent {
  uint64_t netns;                   // inode of the namespace that it was for
  std::string type;                 // RTM_NEWLINK; empty for a setting
  uint16_t flags = 0;               // of the nlmsghdr
  std::vector<uint8_t> bytes = {};  // behind the nlmsghdr; of a setting its value
  std::string step = {};            // what it is for; of a setting its path below /proc/sys/net
};

struct Desk {
  std::vector<uint8_t> received;
  // Only while somebody wants it.
  std::optional<std::vector<Sent>> transcript;

  void note_setting(uint64_t netns, const std::string& path, const std::string& value) {
    if (transcript) transcript->push_back({.netns = netns, .type = {}, .bytes = {value.begin(), value.end()}, .step = path});
  }
};

}  // namespace netlink_ct
