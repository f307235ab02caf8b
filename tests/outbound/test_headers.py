import pytest
from multidict import CIMultiDict

from badgerjobs.outbound.headers import check_headers, check_method, for_another_host, is_same_party, outgoing
from badgerjobs.outbound.targets import UnsendableError, target_of


@pytest.mark.parametrize(
    "name",
    [
        "Host", "host", "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Content-Length",
        "Proxy-Authorization", "proxy-connection", "Expect", "HTTP2-Settings", "Transfer_Encoding", "Content_Length",
        "KEEP_ALIVE", "Proxy_Authorization", "http2_Settings",
    ],
)  # fmt: skip
def test_a_header_of_the_connection_cannot_be_set(name: str) -> None:
    with pytest.raises(UnsendableError, match=f"The header {name} belongs to the connection"):
        check_headers([("Accept", "*/*"), (name, "x")])


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "script-name", "Path_Info"])
def test_a_header_that_servers_take_from_their_proxy_cannot_be_set(name: str) -> None:
    with pytest.raises(UnsendableError, match=f"The header {name} belongs to the server's own proxy"):
        check_headers([(name, "x")])


@pytest.mark.parametrize("name", ["Webhook_Id", "webhook_signature", "WEBHOOK-timestamp_", "webhook_x"])
def test_a_header_that_would_be_read_as_one_of_the_signatures_cannot_be_set(name: str) -> None:
    with pytest.raises(UnsendableError, match=f"The header {name} would be read as webhook-"):
        check_headers([(name, "x")])


def test_the_signatures_own_headers_and_other_underscores_are_sendable() -> None:
    check_headers([("webhook-id", "x"), ("webhook-signature", "x"), ("X_Request_Id", "x")])


@pytest.mark.parametrize("name", ["X_API_KEY", "X-Api-Key", "x_apikey", "Set_Cookie", "x_mine", "X-Mine"])
def test_another_host_sees_no_credential_however_its_name_is_joined(name: str) -> None:
    sent = for_another_host(CIMultiDict([(name, "x"), ("Accept", "*/*")]), frozenset({"x-mine"}))
    assert list(sent) == ["Accept"]


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nY", "X\0", "Ü", "X-\x7f", "a/b"])
def test_a_name_that_is_not_one_is_refused(name: str) -> None:
    with pytest.raises(UnsendableError, match="is not a header name"):
        check_headers([(name, "x")])


@pytest.mark.parametrize("value", ["a\r\nX-B: c", "a\n", "a\r", "\0", "\x1b", "\x7f", "ü", "\u2028", "日本"])
def test_a_value_that_could_be_read_as_more_than_one_line_is_refused(value: str) -> None:
    with pytest.raises(UnsendableError, match="X-A may have printable ASCII characters only"):
        check_headers([("X-A", value)])


@pytest.mark.parametrize("headers", [[("X-A", "1")] * 101, [("X-A", "1" * 33_000)]])
def test_too_many_or_too_long_headers_are_refused(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(UnsendableError, match="100 headers, 32 KB"):
        check_headers(headers)


def test_ordinary_headers_are_sendable() -> None:
    check_headers([("X-A", ""), ("x-a", "tab\tand ~!"), ("Authorization", "Bearer x"), ("Cookie", "a=b")] * 25)


@pytest.mark.parametrize("method", ["", "get", "G T", "GET\r\n", "CONNECT", "TRACE", "GÉT"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    with pytest.raises(UnsendableError, match="cannot be sent as a method"):
        check_method(method)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE"])
def test_a_method_is_sendable(method: str) -> None:
    check_method(method)


def test_what_the_caller_says_stands_and_the_rest_is_ours() -> None:
    sent = outgoing([("user-agent", "mine"), ("X-A", "1"), ("X-A", "2")])
    assert list(sent.items()) == [
        ("user-agent", "mine"),
        ("X-A", "1"),
        ("X-A", "2"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip, deflate"),
    ]


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("https://a.example/x", "https://a.example/y", True),
        ("https://a.example/", "https://A.example:443/", True),
        ("http://a.example/", "https://a.example/", True),
        ("https://a.example/", "http://a.example/", False),
        ("http://a.example:8080/", "https://a.example/", False),
        ("http://a.example/", "https://a.example:8443/", False),
        ("http://a.example/", "https://b.example/", False),
        ("https://a.example/", "https://a.example:8443/", False),
        ("https://a.example/", "https://www.a.example/", False),
    ],
)
def test_only_the_same_origin_and_its_upgrade_to_https_are_trusted_with_credentials(
    here: str, there: str, same: bool
) -> None:
    assert is_same_party(target_of(here), target_of(there)) is same
