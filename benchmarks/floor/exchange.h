// Messages in one buffer, one system call to send them, one acknowledgement of the last.
#pragma once

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

struct exchange {
  struct mnl_socket* socket;
  uint32_t sequence;
  size_t length;  // of all messages
  struct nlmsghdr* last;
  char buffer[32768];
};

// Ends the program with what the kernel said.
void fail(const char* what);

double now_us(void);

// In the namespace of the calling thread.
void exchange_open(struct exchange* exchange, int protocol);
void exchange_close(struct exchange* exchange);

// Starts the next message. It is finished when the one after it starts, or when the exchange is sent.
struct nlmsghdr* exchange_add(struct exchange* exchange, int type, int flags);

// Sends what was added, with the acknowledgement asked of the last message, and takes the answers. Any refusal ends the program.
void exchange_run(struct exchange* exchange, const char* what);

// Sends the one message that was added, which asks for a dump, and counts the objects that come.
int exchange_count(struct exchange* exchange, const char* what);
