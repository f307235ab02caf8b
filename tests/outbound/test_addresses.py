import json
from pathlib import Path

import pytest

from badgerjobs.outbound.addresses import Policy, Refused
from tests.in_turn import in_turn

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "egress.json").read_text())
REFUSED = [address for address, _ in VECTORS["refused"]]
ALLOWED = [address for address, _ in VECTORS["allowed"]]
# Beside the vectors: neighbours of theirs, and what should not be an address at all.
FURTHER = [
    "172.20.5.5", "192.0.2.1", "198.51.100.7", "203.0.113.9", "255.255.255.254", "fe80::1%eth0", "fe80::1%25eth0",
    "::127.0.0.1", "100::1", "2001:db8::1", "2001:10::1", "3fff::1", "5f00::1", "fd00:ec2::254", "ff0e::1",
    "::ffff:10.0.0.1%1", "168.63.129.16", "::ffff:168.63.129.16", "192.31.196.1", "192.52.193.1", "192.175.48.1",
    "2620:4f:8000::1", "", "localhost", "127.1", "0x7f000001", "1.1.1.1 ", "\uff11.1.1.1",
]  # fmt: skip


@in_turn("address", [*REFUSED, *FURTHER])
def test_what_is_not_a_public_address_is_refused(address: str) -> None:
    with pytest.raises(Refused):
        Policy().check(address, 80)


@pytest.mark.parametrize(
    "address",
    [*ALLOWED, "::ffff:1.1.1.1", "9.255.255.255", "11.0.0.0", "223.255.255.255", "168.63.129.15", "168.63.129.17"],
)
def test_a_public_address_is_allowed(address: str) -> None:
    Policy().check(address, 443)


@pytest.mark.parametrize(
    ("entry", "address", "port", "host", "passes"),
    [
        ("10.1.2.3", "10.1.2.3", 80, "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.4", 80, "10.1.2.4", False),
        ("10.1.2.3", "::ffff:10.1.2.3", 80, "x.example", True),
        ("::ffff:10.1.2.3", "10.1.2.3", 80, "x.example", True),
        ("10.1.2.3:8080", "10.1.2.3", 8080, "x.example", True),
        ("10.1.2.3:8080", "10.1.2.3", 8081, "x.example", False),
        ("10.0.0.0/8", "10.255.0.1", 1, "x.example", True),
        ("10.0.0.0/8", "127.0.0.1", 1, "x.example", False),
        ("fd00::/8", "fd12::1", 443, "x.example", True),
        ("[fd00::5]:8080", "fd00::5", 8080, "[fd00::5]", True),
        ("[fd00::5]:8080", "fd00::5", 80, "[fd00::5]", False),
        ("fd00::5", "fd00::5", 80, "x.example", True),
        ("[fd00::5]", "fd00::5", 80, "x.example", True),
        ("db", "10.0.0.9", 5432, "db", True),
        ("db", "10.0.0.9", 5432, "other", False),
        ("db", "10.0.0.9", 5432, "db.example", False),
        ("DB.Example.", "10.0.0.9", 1, "db.example", True),
        ("db.example", "10.0.0.9", 1, "DB.example.", True),
        ("my_service:8080", "172.18.0.3", 8080, "my_service", True),
        ("my_service:8080", "172.18.0.3", 80, "my_service", False),
        ("localhost:9", "127.0.0.1", 9, "localhost", True),
        ("localhost:9", "127.0.0.1", 9, "evil.example", False),
    ],
)
def test_an_entry_allows_what_it_says_and_no_more(entry: str, address: str, port: int, host: str, passes: bool) -> None:
    policy = Policy([entry])
    if passes:
        policy.check(address, port, host)
    else:
        with pytest.raises(Refused):
            policy.check(address, port, host)


@pytest.mark.parametrize(
    "entry",
    [
        "", " ", "*", "*.example.com", "http://db", "db:", "db:0", "db:65536", "db:http", "10.0.0.1:99999",
        "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8:80", "127.1", "fd00::1::2", "[db]:80", "a..b", "-a", "db, web",
        "x" * 64,
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="EGRESS_ALLOW") as caught:
        Policy(["db", entry])
    assert repr(entry) in str(caught.value)


@pytest.mark.parametrize(
    ("address", "host", "says"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1 is a loopback address.*list 127.0.0.1:8080 in EGRESS_ALLOW"),
        ("168.63.129.16", "wire.example", "wire.example leads to a cloud metadata address"),
        ("::1", "::1", r"::1 is a loopback address.*list \[::1\]:8080 in EGRESS_ALLOW"),
        ("10.7.7.7", "db.example", "db.example leads to a private address.*list db.example:8080 in EGRESS_ALLOW"),
    ],
)
def test_a_refusal_says_what_the_operator_can_do(address: str, host: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        Policy().check(address, 8080, host)


def test_a_refusal_does_not_tell_the_address_behind_a_name() -> None:
    with pytest.raises(Refused) as caught:
        Policy().check("10.7.7.7", 80, "db.example")
    assert "10.7" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["localhost", "a.localhost", "localhost.localdomain", "printer.local", "metadata.google.internal"]
)
def test_a_name_that_means_this_network_is_refused_before_it_is_looked_up(host: str) -> None:
    with pytest.raises(Refused, match="EGRESS_ALLOW"):
        Policy().check_name(host, 80)
    with pytest.raises(Refused):
        Policy(["10.0.0.1:81", "other"]).check_name(host, 80)
    Policy([host]).check_name(host, 80)
    Policy(["127.0.0.0/8"]).check_name(host, 80)


@pytest.mark.parametrize("host", ["example.com", "localhost.example.com", "mylocal", "internal.example.org"])
def test_other_names_are_left_to_their_addresses(host: str) -> None:
    Policy().check_name(host, 80)
