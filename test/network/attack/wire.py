"""Sends forged frames from a device and tells which marks arrive at it.

Lines of JSON in: a frame, whose fields are those of Frame in wire.ts. Out: {"ready": true}, {"sent": id}, and for each frame to
this device with a mark <<...>> in it {"mark": ..., "answer": ...}, where an answer is an echo reply.
"""

import json
import os
import re
import select
import socket
import struct
import sys

PACKET_HOST = 0
ANSWERS = {1: 0, 58: 129}
# Of ICMP, and redirects, which quote what they are about as well.
ERRORS = {1: (3, 5, 11, 12), 58: (1, 2, 3, 4, 137)}
PROTOCOLS = {"tcp": 6, "udp": 17}


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def summed(protocol, source, destination, data, at):
    """data with the checksum of its protocol, which is at that offset."""
    pseudo = source + destination + struct.pack("!II", len(data), protocol)
    if protocol == 1:
        pseudo = b""
    return data[:at] + struct.pack("!H", checksum(pseudo + data)) + data[at + 2 :]


def packet(source, destination, protocol, body, hops=64):
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, hops) + source + destination + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, hops, protocol, 0) + source + destination
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def transport(frame):
    """The IP packet of a frame of TCP, UDP, echo or error."""
    source, destination = address(frame["source"]), address(frame["destination"])
    six = len(source) == 16
    text = frame.get("mark", "").encode()
    text = b"<<" + text + b">>" if text else b""
    kind = frame["kind"]
    ports = struct.pack("!HH", frame.get("from", 0), frame.get("port", 0))
    if kind == "udp":
        protocol, at, body = 17, 6, ports + struct.pack("!HH", 8 + len(text), 0) + text
    elif kind == "tcp":
        # Of a beginning, with data.
        protocol, at, body = 6, 16, ports + struct.pack("!IIBBHHH", 1, 0, 0x50, 2, 64000, 0, 0) + text
    elif kind == "echo":
        protocol, at = 58 if six else 1, 2
        body = struct.pack("!BBHHH", 128 if six else 8, 0, 0, frame["from"], 1) + text
    else:
        # That a packet did not arrive: the forged one, cut off behind its ports, and then the mark.
        inner = transport({**frame["inner"], "mark": ""})
        protocol, at = 58 if six else 1, 2
        body = struct.pack("!BBHI", 1 if six else 3, 4 if six else 3, 0, 0) + inner + text
    return packet(source, destination, protocol, summed(protocol, source, destination, body, at))


def advertisement(frame, own):
    """A router advertisement of a default route and a prefix, or a neighbor advertisement that overrides, or a solicitation."""
    source, destination = address(frame["source"]), address(frame["destination"])
    told = mac(frame["claims"]) if "claims" in frame else own
    if frame["kind"] == "router":
        body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
        body += struct.pack("!BB6s", 1, 1, own)
        body += struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 86400, 14400, 0, address(frame["prefix"]))
    elif frame["kind"] == "solicitation":
        body = struct.pack("!BBHI16s", 135, 0, 0, 0, address(frame["target"]))
        body += struct.pack("!BB6s", 1, 1, told)
    else:
        body = struct.pack("!BBHI16s", 136, 0, 0, 0x20000000, address(frame["target"]))
        body += struct.pack("!BB6s", 2, 1, told)
    if frame.get("hidden"):
        # Behind a header of destination options that holds nothing but padding.
        return packet(source, destination, 60, bytes((58, 0, 1, 4, 0, 0, 0, 0)) + summed(58, source, destination, body, 2), 255)
    return packet(source, destination, 58, summed(58, source, destination, body, 2), 255)


def encode(frame, own):
    head = mac(frame["to"]) + (mac(frame["mac"]) if "mac" in frame else own)
    if "vlan" in frame:
        head += struct.pack("!HH", 0x8100, frame["vlan"])
    kind = frame["kind"]
    if kind in ("arp", "request"):
        claimed, sender = address(frame["target"]), mac(frame["claims"]) if "claims" in frame else own
        # Gratuitous, which overrides what was learned a moment ago, too; or a question, from which the one who is asked learns.
        code, asked = (2, claimed) if kind == "arp" else (1, address(frame["destination"]))
        told = struct.pack("!HHBBH6s4s6s4s", frame.get("hardware", 1), 0x800, 6, 4, code, sender, claimed, sender, asked)
        return head + struct.pack("!H", 0x806) + told
    body = advertisement(frame, own) if kind in ("router", "neighbor", "solicitation") else transport(frame)
    return head + struct.pack("!H", 0x86DD if ":" in frame["source"] else 0x800) + body


def arrived(frame):
    """The mark of a frame, and whether it is an answer; None for what only reports an error about it."""
    found = re.search(rb"<<([a-z0-9-]+)>>", frame)
    if found is None:
        return None
    six = frame[12:14] == b"\x86\xdd"
    protocol, kind = (frame[20], frame[54]) if six else (frame[23], frame[34])
    mark = found.group(1).decode()
    if kind in ERRORS.get(protocol, ()) and not mark.startswith("error"):
        return None
    return {"mark": mark, "answer": ANSWERS.get(protocol) == kind}


def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main():
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((sys.argv[1], 0))
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    own = wire.getsockname()[4]
    say({"ready": own.hex(":")})
    rest = b""
    while True:
        ready, _, _ = select.select([0, wire], [], [])
        if wire in ready:
            frame, (_, _, to, *_) = wire.recvfrom(65536)
            what = arrived(frame) if to == PACKET_HOST else None
            if what is not None:
                say(what)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                frame = json.loads(line)
                wire.send(encode(frame, own))
                say({"sent": frame["id"]})


main()
