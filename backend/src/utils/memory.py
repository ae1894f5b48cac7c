"""Settings of the C library's memory."""

from __future__ import annotations

import ctypes

# Of malloc.h.
M_MMAP_THRESHOLD = -3
LARGE_BLOCK_BYTES = 1024 * 1024


def free_large_blocks_at_once() -> None:
    """Make the C library return every block of 1 MiB or more to the system when the program frees it.

    Each password hash takes a block of 19 MiB. By default glibc keeps such blocks after the first few, one for each
    thread, until the process ends: see M_MMAP_THRESHOLD in mallopt(3). Other C libraries may lack `mallopt`.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
