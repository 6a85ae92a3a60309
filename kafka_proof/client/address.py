"""Addresses and names of hosts, without a question to a resolver."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def to_address(text: str) -> Address | None:
    """Return the address that the text is, or None for a name."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Return whether a name or address means the machine on which it is used. Source: RFC 6761, section 6.3."""
    address = to_address(host)
    return host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback)


def is_wildcard(host: str) -> bool:
    """Return whether it is 0.0.0.0 or ::, all addresses of a machine."""
    address = to_address(host)
    return address is not None and address.is_unspecified
