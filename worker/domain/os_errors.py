"""Why the system refused a file, as a sentence in every language."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from worker.domain.messages import Text, literal, message, tell

SENTENCES: Mapping[int, str] = {
    errno.ENOENT: message("there is no such file or folder"),
    errno.EACCES: message("permission is denied"),
    errno.EPERM: message("permission is denied"),
    errno.EISDIR: message("it is a folder"),
    errno.ENOTDIR: message("a part of its path is no folder"),
    errno.EEXIST: message("it exists already"),
    errno.ENAMETOOLONG: message("its name is too long"),
    errno.ELOOP: message("its links lead in a circle"),
    errno.EROFS: message("the disk may only be read"),
    errno.ENOSPC: message("the disk is full"),
    errno.EDQUOT: message("the disk quota is used up"),
}


def say_os_error(error: OSError) -> Text:
    """Return why a file could not be read or written; of rare reasons the system's own words."""
    known = SENTENCES.get(error.errno or 0)
    return tell(known) if known else literal(error.strerror or str(error))
