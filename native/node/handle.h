// A namespace in JavaScript's hands: an External that shares it with the jobs in the queue. A descriptor's number never crosses
// the queue, where it could be closed and used again in between.
#pragma once

#include <napi.h>

#include <memory>

#include "core/netns/namespace.h"

namespace netlink_ct::node {

using SharedNamespace = std::shared_ptr<Namespace>;

Napi::Value wrap(Napi::Env env, SharedNamespace shared);

// Throws a Napi::TypeError for something else than a handle, or for a closed one.
SharedNamespace unwrap(const Napi::Value& value);

// The namespace goes once the jobs that use it are done; the handle is of no use any more. Closing twice is no error.
void close(const Napi::Value& value);

}  // namespace netlink_ct::node
