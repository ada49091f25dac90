"""The data folder: everything that picapweb keeps on this machine, and the lock that gives it one owner at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from pathlib import Path
from typing import Final

# A unix socket's path has 108 bytes, a closing NUL included (unix(7)).
SOCKET_PATH_MAX: Final = 107
LONGEST_SOCKET_NAME: Final = ".s.PGSQL.5432"
SUBFOLDERS: Final = ("postgres", "valkey", "captures", "index", "import", "log")
KEPT_OPEN: Final = ("import",)
# Of every process of the product: files that it makes are its user's alone.
UMASK: Final = 0o077


class DataFolderError(Exception):
    """The data folder cannot be used; the text says why."""


class InUse(DataFolderError):
    """Another process owns the data folder."""


class DataFolder:
    """Paths within one data folder. Making one of these touches nothing; ``create`` does.

    postgres/  the database        valkey/  the broker's folder     run/   unix sockets (0700)
    captures/  stored packet bytes index/   the embedded backend    import/  files that jobs may name
    log/       what children wrote secret_key, lock
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(os.path.abspath(root))
        self._lock: int | None = None

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        """The folder of the sockets. ``run`` is a link to another place where the data folder's own path is no good for them."""
        return Path(os.path.realpath(self.root / "run"))

    def create(self) -> None:
        """Make what is missing, all of it 0700, and narrow to that what is there and wider: the folder itself, and those in it,
        but for `import`, into which others may be meant to put files. Its parents are never touched.

        Raises DataFolderError where that is impossible, or where others may write to a folder that is not ours to narrow.
        """
        try:
            # makedirs gives the mode to the last folder only; those above it get the user's usual one.
            os.makedirs(self.root, mode=0o700, exist_ok=True)
            _narrow(self.root)
            for name in SUBFOLDERS:
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
                if name not in KEPT_OPEN:
                    _narrow(self.root / name)
            self._create_run()
        except OSError as error:
            raise DataFolderError(f"data folder {self.root}: {error.strerror}: {error.filename}") from error

    def _create_run(self) -> None:
        link = self.root / "run"
        if _can_hold_sockets(link):
            if link.is_symlink():
                link.unlink()
            link.mkdir(mode=0o700, exist_ok=True)
            link.chmod(0o700)
            return
        if link.is_symlink() and _is_private(Path(os.path.realpath(link))):
            return
        if link.is_symlink():
            link.unlink()
        elif link.exists():
            link.rmdir()
        link.symlink_to(tempfile.mkdtemp(prefix="picapweb-run-"))

    @property
    def run_is_elsewhere(self) -> bool:
        """Whether the sockets had to go to another place, because this path is too long, or lists are made with it."""
        return (self.root / "run").is_symlink()

    def lock(self) -> None:
        """Become the data folder's owner until ``unlock`` or the end of this process. Raises InUse, naming the owner."""
        try:
            descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataFolderError(f"data folder {self.root}: {error.strerror}: {error.filename}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise DataFolderError(f"data folder {self.root}: cannot be locked: {error.strerror}") from error
            raise InUse(f"data folder {self.root} is in use by process {owner}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._lock = descriptor

    def unlock(self) -> None:
        """Give the data folder back. The lock file stays: removing it would let two owners in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _narrow(folder: Path) -> None:
    """Nobody else may enter. Raises DataFolderError, OSError."""
    status = folder.stat()
    if not status.st_mode & 0o077:
        return
    if os.geteuid() in (status.st_uid, 0):
        folder.chmod(0o700)
    elif status.st_mode & 0o022:
        raise DataFolderError(f"data folder {folder}: others may write to it, and it is not ours to change")


def _can_hold_sockets(folder: Path) -> bool:
    """Short enough; and without a comma, which makes a list of hosts for libpq, or a quote for Postgres' own list."""
    path = os.fsencode(folder / LONGEST_SOCKET_NAME)
    return len(path) <= SOCKET_PATH_MAX and not set(path) & set(b',"')


def _is_private(folder: Path) -> bool:
    """Whether ``folder`` is a folder of this user's that nobody else can enter (a name in /tmp may be anyone's)."""
    try:
        status = folder.stat()
    except OSError:
        return False
    return folder.is_dir() and status.st_uid == os.geteuid() and status.st_mode & 0o077 == 0
