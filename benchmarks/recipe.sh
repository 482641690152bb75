#!/bin/sh
# The container network of the tutorials, typed by a loop: what a program does that calls out to ip and nft.
#
#   sh recipe.sh network                                              the bridge, the gateway, the way out
#   sh recipe.sh attach|attach-at-once|detach|detach-at-once COUNT [publish]
#
# Works in the network namespace that it is started in.
set -eu

network() {
  ip link add br0 type bridge
  ip addr add 172.18.0.1/16 dev br0
  ip link set br0 up
  echo 1 >/proc/sys/net/ipv4/ip_forward
  nft add table ip nat
  nft add chain ip nat prerouting '{ type nat hook prerouting priority dstnat; }'
  nft add chain ip nat postrouting '{ type nat hook postrouting priority srcnat; }'
  nft add rule ip nat postrouting ip saddr 172.18.0.0/16 oifname != br0 masquerade
}

attach() {
  address="172.18.$(($1 / 250)).$(($1 % 250 + 2))"
  ip netns add "c$1"
  ip link add "veth$1" type veth peer name "ceth$1"
  ip link set "ceth$1" netns "c$1"
  ip link set "veth$1" master br0
  ip link set "veth$1" up
  ip -n "c$1" link set "ceth$1" name eth0
  ip -n "c$1" link set lo up
  ip -n "c$1" link set eth0 up
  ip -n "c$1" addr add "$address/16" dev eth0
  ip -n "c$1" route add default via 172.18.0.1
  if [ "$2" = publish ]; then
    nft add rule ip nat prerouting tcp dport "$((10000 + $1))" dnat to "$address:80"
  fi
}

detach() {
  ip link delete "veth$1"
  ip netns delete "c$1"
}

command=$1
count=${2:-0}
option=${3:-}
number=0
case $command in
network) network ;;
attach | detach)
  while [ $number -lt "$count" ]; do
    "$command" $number "$option"
    number=$((number + 1))
  done
  ;;
attach-at-once | detach-at-once)
  jobs=
  while [ $number -lt "$count" ]; do
    "${command%-at-once}" $number "$option" &
    jobs="$jobs $!"
    number=$((number + 1))
  done
  for job in $jobs; do wait "$job"; done
  ;;
*)
  echo "usage: recipe.sh network | attach|attach-at-once|detach|detach-at-once COUNT [publish]" >&2
  exit 2
  ;;
esac
