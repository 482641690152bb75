// Many objects: all of a kind read, or routes added.
#pragma once

#include "exchange.h"

// Dumps `links`, `routes` (IPv4, the main table) or `addresses` (IPv4), decodes nothing, and returns how many there are.
int list_all(struct exchange* host, const char* subject);

// 10.0.0.0/32 and so on, on a device; `at_once` of them in one submission.
void routes_add(struct exchange* host, int count, int at_once, const char* device);
