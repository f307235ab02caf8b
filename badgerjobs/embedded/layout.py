"""Where the embedded servers keep what they keep. Pure paths and secrets: settings read it before Django is there."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from cryptography.fernet import Fernet

# sun_path holds 104 bytes with its end on the narrowest system, and PostgreSQL's socket has the longer of our names.
_LONGEST_SOCKET = 103
_SOCKET_NAME = "/.s.PGSQL.5432"


class DataDirectoryError(Exception):
    """The data directory cannot be read or written by this user. The message says which, and what to do."""


class Layout:
    """The places in a data directory, and its secrets, which are made when they are first asked for."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    @property
    def postgres_dir(self) -> Path:
        """PostgreSQL's own data directory; it belongs to the account that the server runs as."""
        return self.data_dir / "postgres"

    @property
    def valkey_dir(self) -> Path:
        """Valkey's append-only files."""
        return self.data_dir / "valkey"

    @property
    def lock_file(self) -> Path:
        """Held by the one process that runs the servers; see lock.py."""
        return self.data_dir / "lock"

    @property
    def log_file(self) -> Path:
        """What the servers say when nobody reads their output: in tests and under `with_servers`."""
        return self.data_dir / "servers.log"

    @property
    def socket_dir(self) -> Path:
        """Folder of both Unix sockets: in the data directory, or a private one in the temporary folder.

        The second is taken when the path would be longer than a socket's may be, or holds a comma, which both libpq and
        the server read as the start of another folder.
        """
        inside = self.data_dir / "sockets"
        if "," not in str(inside) and len(os.fsencode(inside)) + len(_SOCKET_NAME) <= _LONGEST_SOCKET:
            return inside
        name = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return _temporary_folder() / f"badgerjobs-{os.geteuid()}-{name}"

    @property
    def valkey_socket(self) -> Path:
        """Valkey's Unix socket."""
        return self.socket_dir / "valkey.sock"

    @property
    def redis_url(self) -> str:
        """Valkey's address and password as redis-py and Django's cache read them; Celery's are in `broker_url_of`."""
        return f"unix://:{self.secret('valkey_password')}@{quote(os.fsencode(self.valkey_socket))}?db=0"

    def secret(self, name: str) -> str:
        """Read the secret of that name; on first use make it, in a file that only this user may read.

        "encryption_keys" is a Fernet key; every other is 256 bits in URL-safe letters. Raises DataDirectoryError when
        the file can be neither read nor made.
        """
        path = self.data_dir / "secrets" / name
        try:
            if not path.exists():
                self._keep(path, _new_secret(name))
            return path.read_text()
        except OSError as error:
            raise DataDirectoryError(
                f"{path}: {error.strerror}. The data directory must belong to the account that runs this: use that "
                "account, or set BADGERJOBS_DATA_DIR to a folder of your own."
            ) from None

    def make_data_dir(self) -> None:
        """Make the data directory when it is missing.

        Root's servers run as another account, which has to pass through to its own folders: it may, and see no names.
        """
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            self.data_dir.mkdir(parents=True)
        except FileExistsError:
            return  # what its owner set stays as it is
        self.data_dir.chmod(mode)  # apart from mkdir, which lets the umask take from it

    def _keep(self, path: Path, value: str) -> None:
        self.make_data_dir()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        # Written aside and linked into place: of several processes that make it at once, all read the first one's.
        descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            Path(aside).unlink()


def broker_url_of(redis_url: str) -> str:
    """Spell a URL as Celery's transport does: `unix://:password@/path?db=N` is `redis+socket://…` there.

    Of a socket's options only `db` is taken over. `rediss://` verifies the server's certificate, as redis-py does,
    unless it says otherwise itself: kombu alone would believe anybody. Every other URL comes back as it was.
    """
    url = urlsplit(redis_url)
    if url.scheme == "rediss" and "ssl_cert_reqs" not in parse_qs(url.query):
        return url._replace(query=f"{url.query}&ssl_cert_reqs=required".lstrip("&")).geturl()
    if url.scheme != "unix":
        return redis_url
    database = parse_qs(url.query).get("db", ["0"])[0]
    return f"redis+socket://{url.netloc}{url.path}?virtual_host={database}"


def _new_secret(name: str) -> str:
    return Fernet.generate_key().decode() if name == "encryption_keys" else secrets.token_urlsafe(32)


def _temporary_folder() -> Path:
    # The usual one, whatever TMPDIR says: a second terminal with another TMPDIR must find the sockets too.
    usual = Path("/tmp")  # noqa: S108  the folder made in it is private, and its owner is checked before use
    return usual if os.access(usual, os.W_OK) else Path(tempfile.gettempdir())
