"""Tells which addresses are announced on the devices of this namespace, whoever asks: unsolicited ARP and neighbor advertisements that come in.

A line of JSON for each, after {"ready": true}: {"device": ..., "address": ..., "mac": ...}.
"""

import json
import socket
import struct

ETH_P_ALL = 3
PACKET_OUTGOING = 4
ICMPV6, NEIGHBOR_ADVERTISEMENT, TARGET_LINK_LAYER_ADDRESS = 58, 136, 2


def mac(data):
    return ":".join(f"{byte:02x}" for byte in data)


def arp(body):
    sender, source, target = body[8:14], body[14:18], body[24:28]
    if source == target:
        return socket.inet_ntop(socket.AF_INET, source), mac(sender)
    return None


def advertisement(packet):
    if packet[6] != ICMPV6 or packet[7] != 255 or packet[40] != NEIGHBOR_ADVERTISEMENT:
        return None
    flags, target, option = packet[44], packet[48:64], packet[64:72]
    # To all nodes, not as an answer, and in place of what they knew.
    is_news = packet[24:40] == socket.inet_pton(socket.AF_INET6, "ff02::1") and flags & 0x40 == 0 and flags & 0x20 != 0
    if is_news and len(option) == 8 and option[0] == TARGET_LINK_LAYER_ADDRESS:
        return socket.inet_ntop(socket.AF_INET6, target), mac(option[2:8])
    return None


READERS = {0x0806: arp, 0x86DD: advertisement}


def main():
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    print(json.dumps({"ready": True}), flush=True)
    while True:
        frame, (device, _, kind, *_) = listener.recvfrom(65536)
        (protocol,) = struct.unpack_from("!H", frame, 12)
        if kind == PACKET_OUTGOING or protocol not in READERS:
            continue
        told = READERS[protocol](frame[14:] + b"\0" * 64)
        if told is not None:
            print(json.dumps({"device": device, "address": told[0], "mac": told[1]}), flush=True)


main()
