"""Folders that the embedded servers' account can reach, and nobody else can read."""

import os
import stat
from pathlib import Path

from badgerjobs.embedded.layout import DataDirectoryError
from badgerjobs.embedded.processes import Account


def ensure_reachable(path: Path, account: Account | None) -> None:
    """Raise DataDirectoryError, with what to do, when the servers' account cannot come to `path`."""
    if account and (folder := account.stopped_at(path / "inside")):
        raise DataDirectoryError(
            f"PostgreSQL refuses to run as root, so it runs as the account {account.name!r}; but {folder} does not let "
            f"that account through to {path}. Run as an ordinary user, or move the project (or BADGERJOBS_DATA_DIR) to "
            f"where others may pass, or allow passing with: chmod o+x '{folder}'"
        )


def ensure_private_folder(path: Path, account: Account | None) -> None:
    """Make a folder that its owner alone may enter; raise DataDirectoryError when it is another's already.

    The folder of the sockets may lie in the temporary folder, where anybody could have made it before us.
    """
    owner = account.uid if account else os.geteuid()
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
            raise DataDirectoryError(f"{path} belongs to somebody else. Remove it.") from None
    path.chmod(0o700)
    if account:
        account.owns(path)
