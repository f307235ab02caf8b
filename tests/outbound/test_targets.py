import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from badgerjobs.outbound.targets import UnsendableError, check_url, target_of
from tests.in_turn import in_turn

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "egress.json").read_text())


@in_turn(
    "url, says",
    [
        ("", "must be complete"),
        ("/path", "must be complete"),
        ("example.com/path", "must be complete"),
        ("http:example.com", "must be complete"),
        ("//example.com", "must be complete"),
        ("http://", "no host"),
        ("http:///path", "no host"),
        ("http://:80/", "no host"),
        ("file:///etc/passwd", "Only http:// and https://"),
        ("gopher://127.0.0.1:6379/", "Only http:// and https://"),
        ("javascript://example.com", "Only http:// and https://"),
        ("http://user:pass@example.com/", "Authorization header"),
        ("http://user@example.com/", "Authorization header"),
        ("http://1.1.1.1@example.com/", "Authorization header"),
        ("http://example.com:0/", "port"),
        ("http://example.com:65536/", "port"),
        ("http://example.com:000000000080/", "port"),
        ("http://example.com:http/", "no host"),
        ("http://example.com:80:80/", "no host"),
        ("http://exa mple.com/", "' '.*%20"),
        ("http://example.com/a b", "' '.*%20"),
        ("http://example.com/\r\nX-A: b", r"\\r"),
        ("http://example.com/\x00", r"\\x00"),
        ("http://example.com\\@evil.example/", r"\\\\"),
        ("http://example.com/\ud800", "percent-encoded"),
        ("http://127.1/", "usual spelling"),
        ("http://2130706433/", "usual spelling"),
        ("http://0x7f000001/", "usual spelling"),
        ("http://0X7F.1/", "usual spelling"),
        ("http://0177.0.0.1/", "usual spelling"),
        ("http://127.0.0.1.2/", "usual spelling"),
        ("http://1.2.3.4.0x0/", "usual spelling"),
        ("http://[::1/", "no host"),
        ("http://[::g]/", "not an IPv6 address"),
        ("http://[fe80::1%eth0]/", "network interface"),
        ("http://[fe80::1%25eth0]/", "network interface"),
        ("http://127%2e0.0.1/", "not a host name"),
        ("http://a..b/", "not a host name"),
        ("http://-a.example/", "not a host name"),
        ("http://" + "a" * 64 + ".example/", "not a host name"),
        ("http://" + "a." * 127 + "example/", "not a host name"),
        ("http://example.com/" + "a" * 8000, "longer than 8,000"),
    ],
)
def test_a_url_that_cannot_be_called_is_refused_with_what_would_be_right(url: str, says: str) -> None:
    with pytest.raises(UnsendableError, match=says):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "called", "host", "port"),
    [
        ("http://example.com", "http://example.com/", "example.com", 80),
        ("HTTPS://EXAMPLE.com:443/A", "https://example.com/A", "example.com", 443),
        ("http://example.com:8080?a=1", "http://example.com:8080/?a=1", "example.com", 8080),
        ("http://example.com:/a", "http://example.com/a", "example.com", 80),
        ("http://example.com./", "http://example.com/", "example.com", 80),
        ("http://example.com/a#b", "http://example.com/a", "example.com", 80),
        ("http://my_service:8000/", "http://my_service:8000/", "my_service", 8000),
        ("http://bücher.example/", "http://xn--bcher-kva.example/", "xn--bcher-kva.example", 80),
        ("http://①②⑦.⓪.⓪.①/", "http://127.0.0.1/", "127.0.0.1", 80),
        ("http://\uff11.\uff11.1.1/", "http://1.1.1.1/", "1.1.1.1", 80),
        ("http://ⓛocalhost/", "http://localhost/", "localhost", 80),
        ("http://[::FFFF:7f00:1]:81/", "http://[::ffff:7f00:1]:81/", "::ffff:7f00:1", 81),
        ("http://example.com/ä?ö=ü", "http://example.com/%C3%A4?%C3%B6=%C3%BC", "example.com", 80),
        ("http://example.com/%2e%2E/%2F?a=%2F&b=%20+", "http://example.com/%2e%2E/%2F?a=%2F&b=%20+", "example.com", 80),
        ("http://example.com/a/../b//c", "http://example.com/a/../b//c", "example.com", 80),
        ("http://example.com/100%?q={x}|y", "http://example.com/100%?q=%7Bx%7D%7Cy", "example.com", 80),
    ],
)
def test_a_url_is_called_as_it_was_written(url: str, called: str, host: str, port: int) -> None:
    target = target_of(url)
    assert (target.text, str(target.url), target.host, target.port) == (called, called, host, port)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://localhost/", "http://10.0.0.1:8080/"])
def test_whether_an_address_may_be_called_is_not_asked_yet(url: str) -> None:
    check_url(url)


@given(st.one_of(st.text(), st.text(alphabet="ht:p/@[]0123456789abx.%?#\\\u2460 ").map("http://{}".format)))
def test_a_url_is_refused_or_read_the_same_again(url: str) -> None:
    try:
        target = target_of(url)
    except UnsendableError:
        return
    assert target_of(target.text) == target
    assert target.url.raw_host == target.host
