// A dump: all objects of a kind, whole or not at all.
#pragma once

#include <vector>

#include "core/netlink/codec.h"
#include "core/netlink/socket.h"

namespace netlink_ct {

struct Dump {
  std::vector<Object> objects;
  bool torn = false;  // the kernel changed while it was read (NLM_F_DUMP_INTR), in each of the attempts
};

// Asks for everything that matches `body` (strict checking: the kernel filters). A torn dump is asked again, at most `attempts`
// times in all; after that the last data come with `torn` set, and the caller says so.
Result<Dump> dump(Socket& socket, const MessageType& type, const Object& body, Unknown unknown, int attempts = 5);

}  // namespace netlink_ct
