"""From a path that a client wrote to a thing inside one home, and nowhere else (M04).

Called by ``visit``; knows no protocol. Two defences that do not rely on each other: ``..`` is resolved in
the text before any file is touched and cannot climb over the root, and each folder on the way is opened
relative to the one above it without following links, so a link that already lies in a home leads nowhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from partner_exchange.errors import NameRefused, RightRefused
from partner_exchange.gateway.rights import Place
from partner_exchange.storage.own_files import is_hidden
from partner_exchange.tenants.model import Tenant

LONGEST_NAME = 200
"""Bytes of a name that a client may create; the file system takes 255, our suffixes need the rest."""

_LONGEST_EXISTING_NAME = 255
_LONGEST_PATH = 4096
_DEEPEST_PATH = 32
_UNUSABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS_HERE = (errno.EPERM, errno.ENOTSUP, errno.EMLINK)


def parse(path: bytes | str) -> Place:
    """Return the place that a client's path means; relative paths start at the root.

    :raises NameRefused: ``name-not-utf8``, ``name-has-control``, ``name-too-long``, ``path-too-deep``.
    """
    if isinstance(path, bytes):
        try:
            path = path.decode("utf-8")
        except UnicodeDecodeError:
            message = "The name is not UTF-8. Set your client to UTF-8 file names."
            raise NameRefused("name-not-utf8", message) from None
    if any(unicodedata.category(sign) in _UNUSABLE_CATEGORIES for sign in path):
        message = "The name holds a control character or a line break. Rename the file."
        raise NameRefused("name-has-control", message)
    if len(path) > _LONGEST_PATH:
        raise _too_long(_LONGEST_PATH)
    place: list[str] = []
    for name in path.split("/"):
        if name == "..":
            del place[-1:]
        elif name not in ("", "."):
            if len(name.encode()) > _LONGEST_EXISTING_NAME:
                raise _too_long(_LONGEST_EXISTING_NAME)
            place.append(name)
    if len(place) > _DEEPEST_PATH:
        raise NameRefused("path-too-deep", "The path has too many folders.")
    return tuple(place)


def check_new_name(name: str) -> None:
    """Return when a client may create something of that name.

    :raises NameRefused: ``name-too-long``, ``name-has-backslash``, ``name-reserved``.
    """
    if len(name.encode()) > LONGEST_NAME:
        raise _too_long(LONGEST_NAME)
    if "\\" in name:
        message = "The name holds a backslash. Upload the file by its name alone, with / between folders."
        raise NameRefused("name-has-backslash", message)
    if is_hidden(name):
        message = "Names that start with a dot and end in .exchange are reserved. Choose another."
        raise NameRefused("name-reserved", message)


def create_home(homes: Path, tenant: Tenant) -> None:
    """Let the tenant's home with all its folders be there (M05, T56)."""
    for folder in tenant.inbox.folders:
        (homes / tenant.code / folder).mkdir(parents=True, exist_ok=True, mode=0o750)


class OtherNames:
    """The other ways to write a path in one home; each leads to the one real place (K6, T32).

    A registry prints its paths with the import code in front, ``/AAA-SSL/HL7-Dropoff``, and calls the folder
    of its reports by two names. Listings show the real names only.
    """

    def __init__(self, tenant: Tenant) -> None:
        inbox = tenant.inbox
        self._aliases = dict(inbox.aliases)
        taken = {name.casefold() for name in (*inbox.folders, *inbox.aliases)}
        has_prefix = inbox.is_registry and tenant.code not in taken
        self._prefix = tenant.code if has_prefix else None

    def real(self, place: Place) -> Place:
        """Return the place by its real name; the import code counts in any case, an alias as it is set."""
        if place and place[0].isascii() and place[0].lower() == self._prefix:
            place = place[1:]
        return (self._aliases.get(place[0], place[0]), *place[1:]) if place else place


class HomeTree:
    """The files below one root; every method takes places and follows no link.

    Raises plain ``OSError`` for what the file system says, so each door can tell its clients in its own
    codes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextlib.contextmanager
    def folder(self, place: Place) -> Iterator[int]:
        """Yield a descriptor of the folder.

        :raises FileNotFoundError: no such folder.
        :raises RightRefused: ``link-refused``.
        """
        descriptor = os.open(self._root, _FOLDER_FLAGS)
        try:
            for name in place:
                inner = _open_folder(descriptor, name)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def facts(self, place: Place) -> os.stat_result:
        """Return size, times and kind of the file or folder.

        :raises FileNotFoundError: nothing there, or neither file nor folder.
        :raises RightRefused: ``link-refused``.
        """
        if not place:
            with self.folder(()) as descriptor:
                return os.fstat(descriptor)
        with self.folder(place[:-1]) as descriptor:
            return _facts(descriptor, spelling(descriptor, place[-1]))

    def entries(self, place: Place) -> list[tuple[str, os.stat_result]]:
        """Return names and facts of the files and folders in the folder, without ``.`` and ``..``."""
        found: list[tuple[str, os.stat_result]] = []
        with self.folder(place) as descriptor, os.scandir(descriptor) as items:
            for item in items:
                with contextlib.suppress(FileNotFoundError, UnicodeEncodeError):
                    item.name.encode()
                    facts = item.stat(follow_symlinks=False)
                    if stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode):
                        found.append((item.name, facts))
        return found

    def open_file(self, place: Place) -> int:
        """Return a descriptor for reading the regular file.

        :raises FileNotFoundError: no such file.
        :raises IsADirectoryError: it is a folder.
        :raises RightRefused: ``link-refused``.
        """
        if not place:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with self.folder(place[:-1]) as parent:
            name = spelling(parent, place[-1])
            if stat.S_ISDIR(_facts(parent, name).st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            # Between the look and the opening another process may put a link or a pipe there: neither is
            # followed nor waited for, and what was opened is looked at again.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=parent)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise _missing()
            return descriptor

    def rename(self, old: Place, new: Place, *, replace: bool, files_only: bool) -> None:
        """Give the thing at ``old`` the place ``new``.

        :raises FileNotFoundError: ``old`` is gone.
        :raises FileExistsError: ``new`` is taken and ``replace`` is false.
        :raises RightRefused: ``right-refused`` for a folder when ``files_only``, ``link-refused``.
        """
        with self.folder(old[:-1]) as source, self.folder(new[:-1]) as target:
            old_name, new_name = spelling(source, old[-1]), spelling(target, new[-1])
            is_folder = stat.S_ISDIR(_facts(source, old_name).st_mode)
            if is_folder and files_only:
                raise RightRefused("right-refused", "Folders cannot be renamed here.")
            if replace:
                os.rename(old_name, new_name, src_dir_fd=source, dst_dir_fd=target)
            else:
                move_unless_taken(source, old_name, target, new_name, is_folder=is_folder)

    def remove(self, place: Place) -> None:
        """Remove the file.

        :raises FileNotFoundError: no such file.
        :raises IsADirectoryError: it is a folder.
        :raises RightRefused: ``link-refused``.
        """
        with self.folder(place[:-1]) as parent:
            name = spelling(parent, place[-1])
            if stat.S_ISDIR(_facts(parent, name).st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            os.unlink(name, dir_fd=parent)

    def make_folder(self, place: Place) -> None:
        """Create the folder; the one above has to be there."""
        with self.folder(place[:-1]) as parent:
            os.mkdir(spelling(parent, place[-1]), 0o750, dir_fd=parent)

    def remove_folder(self, place: Place) -> None:
        """Remove the empty folder."""
        with self.folder(place[:-1]) as parent:
            os.rmdir(spelling(parent, place[-1]), dir_fd=parent)

    def set_times(self, place: Place, accessed_at_ns: int, modified_at_ns: int, *, files_only: bool) -> None:
        """Set both times of the file or folder.

        :raises RightRefused: ``right-refused`` for a folder when ``files_only``, ``link-refused``.
        """
        with self.folder(place[:-1]) as parent:
            name = spelling(parent, place[-1])
            if stat.S_ISDIR(_facts(parent, name).st_mode) and files_only:
                raise RightRefused("right-refused", "The times of folders cannot be set here.")
            os.utime(name, ns=(accessed_at_ns, modified_at_ns), dir_fd=parent, follow_symlinks=False)


def spelling(parent: int, name: str) -> str:
    """Return the name as the folder spells it, in NFC when it is not there.

    macOS clients send NFD, all others NFC, for the same letters on the screen; what is created is NFC, so
    that both find each other's files and one name never exists twice. A name that lies there in another
    form is taken as it is.
    """
    if name.isascii():
        return name
    composed = unicodedata.normalize("NFC", name)
    for candidate in (name, composed, unicodedata.normalize("NFD", name)):
        with contextlib.suppress(OSError):
            os.stat(candidate, dir_fd=parent, follow_symlinks=False)
            return candidate
    return composed


def move_unless_taken(source: int, old: str, target: int, new: str, *, is_folder: bool = False) -> None:
    """Rename without ever replacing, also when another process is at the same name (M33).

    A hard link fails when the name is taken, which a plain rename would not; where the file system has no
    links, a look before the rename has to do.

    :raises FileExistsError: ``new`` is taken.
    """
    if not is_folder:
        try:
            os.link(old, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS_HERE:
                raise
        else:
            os.unlink(old, dir_fd=source)
            return
    with contextlib.suppress(FileNotFoundError):
        os.stat(new, dir_fd=target, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(old, new, src_dir_fd=source, dst_dir_fd=target)


def _open_folder(parent: int, name: str) -> int:
    name = spelling(parent, name)
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            _facts(parent, name)
        raise


def _facts(parent: int, name: str) -> os.stat_result:
    facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISLNK(facts.st_mode):
        raise RightRefused("link-refused", "This is a link; links are not followed here.")
    if not stat.S_ISREG(facts.st_mode) and not stat.S_ISDIR(facts.st_mode):
        raise _missing()
    return facts


def _missing() -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _too_long(limit: int) -> NameRefused:
    return NameRefused(
        "name-too-long", f"The name or path is too long; {limit} bytes are the most. Shorten it."
    )
