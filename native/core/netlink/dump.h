// A dump: all objects of a kind, whole or not at all.
#pragma once

#include <chrono>
#include <optional>

#include "core/netlink/codec.h"
#include "core/netlink/extack.h"
#include "core/netlink/socket.h"

namespace netlink_ct {

struct Dump {
  PackedObjects objects;
  bool torn = false;  // the kernel changed while it was read (NLM_F_DUMP_INTR), each time
  int readings = 0;
  std::optional<Warning> warning = {};
};

// How often a dump is asked for again that was torn, or of which the kernel dropped something (ENOBUFS): a burst of changes, as
// of many containers that start, is to be over before it is given up, and what changes without end must not keep the thread.
struct Patience {
  int readings = 5;                     // as many at least,
  std::chrono::milliseconds time{200};  // and no further one once so long has passed
};

// Asks for everything that matches `body` (strict checking: the kernel filters). When the patience is over the last data come
// with `torn` set, and the caller says so. `wanted` as for decode().
Result<Dump> dump(Socket& socket, const MessageType& type, const Object& body, Unknown unknown,
                  std::span<const std::string> wanted = {}, Patience patience = {});

}  // namespace netlink_ct
