"""Whether an address on the network is anybody's, and not one within our own house."""

from __future__ import annotations

import ipaddress

_WITHIN = [ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")]
"""IPv6 networks whose addresses hold one of IPv4, which would have to be judged anew wherever they lead."""


def is_public(address: str) -> bool:
    """False for what is private, local, reserved, multicast, or no address at all."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if any(parsed in network for network in _WITHIN):
            return False
    return parsed.is_global and not parsed.is_multicast
