// The messages of test/golden: what ip, bridge and tc send, and what the kernel tells them; npm run record:golden makes the
// files.
#pragma once

#include <dirent.h>

#include <algorithm>
#include <fstream>

#include "core/netlink/message.h"
#include "core/netlink/registry.h"
#include "support.h"

namespace netlink_ct::test {

struct Recording {
  std::string name;  // area and command
  const MessageType* type;
  bool told;    // by the kernel, and not sent
  Bytes bytes;  // behind the nlmsghdr
};

// The files of a folder, each a list of: $ a command; > or < a message type; its bytes.
inline void read_recordings(const std::string& folder, std::vector<Recording>& into) {
  std::vector<std::string> files;
  DIR* open = opendir(folder.c_str());
  check(open != nullptr, folder + " is there");
  while (const dirent* entry = readdir(open)) {
    if (std::string_view(entry->d_name).ends_with(".txt")) files.emplace_back(entry->d_name);
  }
  closedir(open);
  std::ranges::sort(files);
  for (const std::string& file : files) {
    std::ifstream lines(folder + "/" + file);
    std::string command;
    for (std::string line; std::getline(lines, line);) {
      const std::string_view rest = std::string_view(line).substr(std::min<size_t>(2, line.size()));
      if (line.empty() || line.starts_with('#') || line.starts_with('!')) continue;
      if (line.starts_with('$')) {
        command = file + ": " + std::string(rest);
      } else if (line.starts_with('>') || line.starts_with('<')) {
        const MessageType* type = message_type(rest.substr(0, rest.find(' ')));
        check(type != nullptr, command + ": no message type " + std::string(rest));
        into.push_back({command, type, line.starts_with('<'), {}});
      } else {
        check(!into.empty(), file + " begins with a message");
        const Bytes more = bytes_of(line);
        into.back().bytes.insert(into.back().bytes.end(), more.begin(), more.end());
      }
    }
  }
}

inline std::vector<Recording> recordings() {
  std::vector<Recording> all;
  for (const char* folder : {"/recorded", "/written"}) read_recordings(std::string(NETLINK_CT_GOLDEN) + folder, all);
  return all;
}

}  // namespace netlink_ct::test
