"""The table of networks that nobody's job may reach, and the names that can only mean them."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# Our own table, not `is_private` or `is_global`: those let carrier-grade NAT, NAT64, 6to4, site-local and multicast
# addresses through, and differ from one patch release of Python to the next. `is_global` is asked besides.
REFUSED_V4 = {
    IPv4Network(network): kind
    for network, kind in {
        "0.0.0.0/8": "an unspecified",
        "10.0.0.0/8": "a private",
        "100.64.0.0/10": "a carrier-grade NAT",
        "127.0.0.0/8": "a loopback",
        "169.254.0.0/16": "a link-local",
        "168.63.129.16/32": "a cloud metadata",  # Azure's wire server: public by its number, the host's by its routes
        "172.16.0.0/12": "a private",
        "192.0.0.0/24": "a protocol-assignment",
        "192.0.2.0/24": "a documentation",
        "192.31.196.0/24": "an AS112 (sink of private DNS queries)",
        "192.52.193.0/24": "a multicast tunnelling (AMT)",
        "192.88.99.0/24": "a 6to4 relay",
        "192.168.0.0/16": "a private",
        "192.175.48.0/24": "an AS112 (sink of private DNS queries)",
        "198.18.0.0/15": "a benchmarking",
        "198.51.100.0/24": "a documentation",
        "203.0.113.0/24": "a documentation",
        "224.0.0.0/4": "a multicast",
        "240.0.0.0/4": "a reserved",
    }.items()
}
REFUSED_V6 = {
    IPv6Network(network): kind
    for network, kind in {
        "::/128": "an unspecified",
        "::1/128": "a loopback",
        "64:ff9b::/96": "a NAT64",
        "64:ff9b:1::/48": "a NAT64",
        "fc00::/7": "a private",
        "fe80::/10": "a link-local",
        "fec0::/10": "a site-local",
        "ff00::/8": "a multicast",
        "2001::/23": "a tunnelling or protocol-assignment",
        "2001:db8::/32": "a documentation",
        "2002::/16": "a 6to4",
        "2620:4f:8000::/48": "an AS112 (sink of private DNS queries)",
        "3fff::/20": "a documentation",
    }.items()
}
GLOBAL_UNICAST = IPv6Network("2000::/3")

# RFC 6761, RFC 6762, RFC 8375, and ICANN's reservation of .internal (2024).
NAMES_OF_HERE = ("localhost", "localhost.localdomain", "local", "internal", "home.arpa")


def unwrapped(address: Address) -> Address:
    """Take the IPv4 address out of an IPv4-mapped IPv6 one: the kernel connects to that."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def kind_of(address: Address) -> str | None:
    """Say what makes an (unwrapped) address off limits, with its article ("a loopback"); None for a public one."""
    if isinstance(address, IPv4Address):
        kind = next((kind for network, kind in REFUSED_V4.items() if address in network), None)
    else:
        kind = next((kind for network, kind in REFUSED_V6.items() if address in network), None)
        if kind is None and address not in GLOBAL_UNICAST:
            return "a reserved"
    return kind if kind or address.is_global else "a reserved"


def means_here(host: str) -> bool:
    """Tell whether a name can only mean this machine or the network around it, whatever a resolver says."""
    return any(host == name or host.endswith("." + name) for name in NAMES_OF_HERE)
