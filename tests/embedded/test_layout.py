import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from redis import ConnectionPool

from badgerjobs.embedded.layout import DataDirectoryError, Layout, broker_url_of

ODD_NAMES = ["plain", "with a space", "a;b", "what?", "50%", "100%25", "a#b", "a@b:c", "größe", 'quo"te', "back\\slash"]


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("name", ODD_NAMES)
def test_redis_py_reads_socket_and_password_out_of_the_url(name: str, tmp_path: Path) -> None:
    layout = Layout(tmp_path / name)
    found = ConnectionPool.from_url(layout.redis_url).connection_kwargs
    assert (found["path"], found["password"], found["db"]) == (
        str(layout.valkey_socket),
        layout.secret("valkey_password"),
        0,
    )


def test_a_broker_url_takes_the_number_of_the_database_along() -> None:
    url = broker_url_of("unix://:secret@/a%20b/valkey.sock?db=3")
    assert url == "redis+socket://:secret@/a%20b/valkey.sock?virtual_host=3"


@pytest.mark.parametrize(
    "url", ["redis://:secret@example.org:6379/1", "rediss://x?ssl_cert_reqs=none", "redis+socket:///x"]
)
def test_a_broker_url_that_is_no_socket_stays_as_it_is(url: str) -> None:
    assert broker_url_of(url) == url


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("rediss://:s@example.org:6380/1", "rediss://:s@example.org:6380/1?ssl_cert_reqs=required"),
        ("rediss://example.org?ssl_ca_certs=/ca", "rediss://example.org?ssl_ca_certs=/ca&ssl_cert_reqs=required"),
    ],
)
def test_a_broker_over_tls_has_its_certificate_verified(url: str, spelled: str) -> None:
    assert broker_url_of(url) == spelled


def test_sockets_lie_in_the_data_directory_while_their_path_fits() -> None:
    longest = Path("/") / ("d" * (103 - len("//sockets/.s.PGSQL.5432")))
    assert Layout(longest).socket_dir == longest / "sockets"
    assert Layout(longest.with_name(longest.name + "d")).socket_dir.parent == Path("/tmp")


@pytest.mark.parametrize("path", ["/" + "x" * 150, "/" + "ä" * 60, "/with,comma"])
def test_sockets_lie_in_the_temporary_folder_when_their_path_cannot_be_used(path: str) -> None:
    folder = Layout(Path(path)).socket_dir
    assert folder.parent == Path("/tmp")
    assert f"badgerjobs-{os.geteuid()}-" in folder.name
    assert folder != Layout(Path(path + "2")).socket_dir


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "parent" / "data")
    secret = layout.secret("secret_key")
    assert len(secret) >= 43
    assert layout.secret("secret_key") == secret != layout.secret("valkey_password")
    folder = layout.data_dir / "secrets"
    assert mode_of(folder) == 0o700
    assert mode_of(folder / "secret_key") == 0o600
    assert mode_of(layout.data_dir) & 0o066 == 0
    assert sorted(path.name for path in folder.iterdir()) == ["secret_key", "valkey_password"]


def test_encryption_keys_are_a_fernet_key(tmp_path: Path) -> None:
    Fernet(Layout(tmp_path).secret("encryption_keys"))


def test_of_many_who_make_a_secret_at_once_all_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda number: Layout(tmp_path / str(number % 4)).secret("x"), range(64)))
    assert len(found) == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_secret_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    Layout(tmp_path).secret("x")
    (tmp_path / "secrets").chmod(0)
    with pytest.raises(DataDirectoryError, match="BADGERJOBS_DATA_DIR"):
        Layout(tmp_path).secret("x")


def test_a_file_in_the_place_of_the_data_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataDirectoryError, match="BADGERJOBS_DATA_DIR"):
        Layout(tmp_path / "file").secret("x")


def test_a_data_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    Layout(tmp_path).make_data_dir()
    assert mode_of(tmp_path) == 0o750
