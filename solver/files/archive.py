"""Reading a zip that nobody vouches for: damaged, encrypted or made to fill the memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from ..errors import InstanceError

__all__ = ["UNPACKED_LIMIT", "read_members"]

UNPACKED_LIMIT = 2**29
"""Bytes that the members of a zip may unpack to, all together."""

_CHUNK = 2**20
_PACKED_CHUNK = 4096  # of bz2 and lzma all is unpacked that a read takes in: 20,000 times as much


def read_members(data: bytes, names: Sequence[str], where: str) -> dict[str, bytes]:
    """Unpack the named members of a zip, those that it has.

    Parameters
    ----------
    data : bytes
        Content of the zip.
    names : sequence of str
        The first is the one by which the folder is found where they stand in a folder.
    where : str
        The file, as error messages name it.

    Raises
    ------
    InstanceError
        If the zip is damaged or encrypted, or unpacks to more than `UNPACKED_LIMIT` bytes;
        they are counted as they come, whatever the zip says of itself.
    """
    found: dict[str, bytes] = {}
    left = UNPACKED_LIMIT
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = _top_folder(archive, names[0])
            present = set(archive.namelist())
            for name in names:
                if inside + name in present:
                    content = _unpacked(archive, inside + name, left)
                    if content is None:
                        break
                    found[name] = content
                    left -= len(content)
            else:
                return found
    except Exception as error:  # zipfile raises a dozen classes, depending on what is damaged
        reason = str(error) or type(error).__name__
        raise InstanceError(f"{where}: the zip cannot be read: {reason}; pack it again") from None
    raise InstanceError(
        f"{where}: the files in the zip unpack to more than {UNPACKED_LIMIT / 2**20:g} MiB; if "
        "that is meant, unpack it and name the folder"
    )


def _unpacked(archive: zipfile.ZipFile, member: str, limit: int) -> bytes | None:
    """The content of a member, None where it is longer than the limit."""
    content = bytearray()
    bounded = archive.getinfo(member).compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    size = _CHUNK if bounded else _PACKED_CHUNK
    with archive.open(member) as stream:
        while chunk := stream.read(size):
            content += chunk
            if len(content) > limit:
                return None
    return bytes(content)


def _top_folder(archive: zipfile.ZipFile, wanted: str) -> str:
    """The folder that holds the files: the root, or the only one that has the wanted one."""
    folders = {
        name.removesuffix(wanted)
        for name in archive.namelist()
        if name in (wanted, f"{name.partition('/')[0]}/{wanted}")
    }
    return "" if "" in folders or len(folders) != 1 else folders.pop()
