"""Keep what a training step has freed for the next one; the system would clear it first."""

import ctypes
import logging
import sys

logger = logging.getLogger(__name__)

# <malloc.h> of glibc.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Let this process hold on to freed blocks; false where its C library is not glibc.

    By default every block above some megabytes is asked from the system and given back at once, and
    the system clears each page of it again: at full size some 50,000 page faults a frame, 40 % of
    the CPU time of a step of 24 frames (results/rt1-training-speed.md). The process stays as large
    as its largest step. Call it before the first step.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        logger.info("this C library has no mallopt: large steps spend time on page faults")
        return False
    # Nothing by mmap; the heap is never trimmed.
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, -1))
