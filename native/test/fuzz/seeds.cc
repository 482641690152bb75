// seeds FOLDER: what the fuzzer begins with, a file for each message of test/golden in the form of decode_fuzz.cc.
#include <linux/netlink.h>

#include "recording.h"
#include "setting.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

int main(int count, char** arguments) {
  if (count != 2) return std::fputs("usage: seeds FOLDER\n", stderr), 2;
  const std::string folder = arguments[1];
  size_t number = 0;
  for (const Recording& recording : recordings()) {
    const Setting setting{.netfilter = recording.type->name.starts_with("RTM_") ? uint8_t{0} : uint8_t{1},
                          .keep = static_cast<uint8_t>(number % 2),
                          .offset = static_cast<uint16_t>(NLMSG_HDRLEN + recording.bytes.size() / 2)};
    MessageBuffer message;
    message.start(recording.type->number, 0, 1);
    std::ranges::copy(recording.bytes, static_cast<uint8_t*>(message.append(recording.bytes.size())));
    std::ofstream file(folder + "/" + std::to_string(++number), std::ios::binary);
    file.write(reinterpret_cast<const char*>(&setting), sizeof setting);
    file.write(reinterpret_cast<const char*>(message.bytes().data()), static_cast<std::streamsize>(message.size()));
    if (!file.flush()) return std::fputs("cannot write\n", stderr), 1;
  }
  return 0;
}
