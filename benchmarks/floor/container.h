// What the kernel must do for one container on a bridge, and nothing else.
#pragma once

#include "exchange.h"

struct container {
  int netns;
  int index;  // of the host end
};

// A bridge without multicast snooping, which costs with every port. Returns its index.
int bridge_create(struct exchange* host);

// A new namespace with an address and a default route, the host end of its veth pair on the bridge. `number` chooses the address.
struct container container_attach(struct exchange* host, int bridge, int number);

void link_delete(struct exchange* host, int index);

// Every link of container_attach at once: the grace periods of a deletion are the same for one link and for many.
void links_delete(struct exchange* host);

// RTM_GETLINK by name, without the statistics.
void link_get(struct exchange* host, const char* name);

extern const char bridge_name[];
