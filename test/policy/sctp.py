"""Associations of SCTP by raw sockets, for kernels that have none of its own.

sctp.py serve            takes every association, at every port, and acknowledges what it is sent.
sctp.py ask ADDRESS      on each line `open PORT SECONDS` begins an association, and says `open` or `nothing`; on `say PORT SECONDS` sends
                         something in the one that there is, and says `heard` or `nothing`.
"""

import random
import select
import socket
import struct
import sys
import time

SCTP = 132
DATA, INIT, INIT_ACK, SACK, COOKIE_ECHO, COOKIE_ACK = 0, 1, 2, 3, 10, 11


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def chunk(kind, value=b"", flags=0):
    padding = b"\0" * (-len(value) % 4)
    return struct.pack("!BBH", kind, flags, 4 + len(value)) + value + padding


def packet(source, destination, tag, body):
    head = struct.pack("!HHI", source, destination, tag)
    return head + struct.pack("<I", crc32c(head + b"\0\0\0\0" + body)) + body


def parse(data, family):
    """The ports, the tag, the kind and the value of the first chunk."""
    if family == socket.AF_INET:
        data = data[(data[0] & 15) * 4 :]
    source, destination, tag = struct.unpack_from("!HHI", data)
    kind, _, length = struct.unpack_from("!BBH", data, 12)
    return source, destination, tag, kind, data[16 : 12 + length]


def opening(tag):
    return struct.pack("!IIHHI", tag, 65536, 1, 1, 1)


def serve():
    sockets = {family: socket.socket(family, socket.SOCK_RAW, SCTP) for family in (socket.AF_INET, socket.AF_INET6)}
    print("ready", flush=True)
    peers = {}
    while True:
        readable, _, _ = select.select([*sockets.values(), sys.stdin], [], [])
        if sys.stdin in readable:
            return
        for one in readable:
            data, sender = one.recvfrom(65536)
            source, destination, _, kind, value = parse(data, one.family)
            key = (sender[0], source, destination)
            if kind == INIT:
                peers[key] = struct.unpack_from("!I", value)[0]
                cookie = struct.pack("!HH8s", 7, 12, b"a cookie")
                answer = chunk(INIT_ACK, opening(0x5E77E7) + cookie)
            elif kind == COOKIE_ECHO:
                answer = chunk(COOKIE_ACK)
            elif kind == DATA:
                answer = chunk(SACK, struct.pack("!IIHH", struct.unpack_from("!I", value)[0], 65536, 0, 0))
            else:
                continue
            if key in peers:
                one.sendto(packet(destination, source, peers[key], answer), (sender[0], 0))


class Association:
    def __init__(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_RAW, SCTP)
        self.address, self.port, self.sent = address, port, 0
        # Conntrack remembers those of tests before.
        self.own = random.randrange(32768, 61000)
        self.tag = 0

    def exchange(self, tag, body, wanted, seconds):
        """Sends until it is answered; the value of the answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.socket.sendto(packet(self.own, self.port, tag, body), (self.address, 0))
            except OSError:
                # The kernel says so once of who is not there.
                pass
            again = min(end, time.monotonic() + 0.1)
            while time.monotonic() < again:
                if not select.select([self.socket], [], [], max(0, again - time.monotonic()))[0]:
                    continue
                source, destination, _, kind, value = parse(self.socket.recv(65536), self.socket.family)
                if (source, destination, kind) == (self.port, self.own, wanted):
                    return value
        return None

    def open(self, seconds):
        answer = self.exchange(0, chunk(INIT, opening(0xC11E47)), INIT_ACK, seconds)
        if answer is None:
            return False
        self.tag = struct.unpack_from("!I", answer)[0]
        return self.exchange(self.tag, chunk(COOKIE_ECHO, answer[20:]), COOKIE_ACK, seconds) is not None

    def say(self, seconds):
        self.sent += 1
        body = chunk(DATA, struct.pack("!IHHI", self.sent, 0, self.sent, 0) + b"text", 3)
        return self.exchange(self.tag, body, SACK, seconds) is not None


def ask(address):
    print("ready", flush=True)
    associations = {}
    for line in filter(str.strip, sys.stdin):
        verb, port, seconds = line.split()
        if verb == "open":
            associations[port] = Association(address, int(port))
            print("open" if associations[port].open(float(seconds)) else "nothing", flush=True)
        else:
            print("heard" if associations[port].say(float(seconds)) else "nothing", flush=True)


if sys.argv[1] == "serve":
    serve()
else:
    ask(sys.argv[2])
