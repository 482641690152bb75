// One published port: an element of an nf_tables map.
#pragma once

#include "exchange.h"

// `table ip floor { map ports { type inet_proto . inet_service : ipv4_addr . inet_service } }`
void ports_create(struct exchange* netfilter);

// One transaction. Port numbers count up from 10000.
void port_publish(struct exchange* netfilter, int number);
