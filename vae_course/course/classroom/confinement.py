"""A process that gives up what an answer needs nothing of: files, the network, other processes, more memory.

What holds where, of what is tried: ``limits`` on memory everywhere but on Windows (macOS takes note of them and does not hold
them); on Linux, for the x86-64 and the ARM processor, ``calls`` of the system that start, stop or look into processes or open
a network; and on Linux where users may make namespaces of their own, ``files``: nothing can be written, and what is to be
hidden is not there. A container may forbid the last.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MEMORY = 2 * 1024**3  # bytes that an answer may take beside what torch and the course have taken

# --- limits -----------------------------------------------------------------------------------------------------------


def _limit() -> None:
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(limit: int, to: int) -> None:
    import resource

    _, most = resource.getrlimit(limit)
    to = to if most == resource.RLIM_INFINITY else min(to, most)
    resource.setrlimit(limit, (to, to))


# --- files and the network --------------------------------------------------------------------------------------------

# From <linux/sched.h>, <linux/mount.h> and <fcntl.h>.
NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_NETWORK = 0x0002_0000, 0x0800_0000, 0x1000_0000, 0x4000_0000
RECURSIVELY, PRIVATE = 0x4000, 0x4_0000
READ_ONLY, AT_FDCWD, AT_RECURSIVE = 1, -100, 0x8000
MOUNT_SETATTR = 442  # the number of the call, which has no function in older C libraries


def _leave_the_files(hidden: Iterable[Path]) -> None:
    """Into namespaces of this process's own: no network, no file that can be written, empty folders for ``hidden``."""
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    _done(libc.unshare(NEW_USER | NEW_MOUNTS | NEW_NETWORK | NEW_IPC))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _done(libc.mount(b"none", b"/", None, RECURSIVELY | PRIVATE, None))
    for folder in hidden:
        _done(libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, b"size=4k"))
    attributes = (ctypes.c_uint64 * 4)(READ_ONLY, 0, 0, 0)
    _done(libc.syscall(MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, ctypes.sizeof(attributes)))
    os.chdir("/")


def _done(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


# --- calls of the system ----------------------------------------------------------------------------------------------

# Numbers of calls on x86-64 and on 64-bit ARM (None: it has no such call), from the tables of the kernel.
FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "setpriority": (141, 140),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "socket": (41, 198),
    "io_uring_setup": (425, 425),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "mount_setattr": (442, 442),
    "bpf": (321, 280),
}
ARCHITECTURES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}  # which of the numbers, and what the kernel calls it
CLONE, CLONE3 = (56, 220), (435, 435)
A_THREAD = 0x0001_0000
# Of the language that a filter is written in, <linux/bpf_common.h>: load a word of what is called, compare, return.
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where they lie in what the filter is shown, <linux/seccomp.h>
ALLOW, REFUSE, NO_SUCH_CALL, END = 0x7FFF_0000, 0x0005_0001, 0x0005_0026, 0x8000_0000  # refused with EPERM, with ENOSYS
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2  # of prctl


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


class _Step(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("if_so", ctypes.c_ubyte), ("if_not", ctypes.c_ubyte), ("value", ctypes.c_uint32))


def _steps(which: int, architecture: int) -> list[tuple[int, int, int, int]]:
    """The filter: a refused call fails with "not permitted", and a process that is started is a thread or none."""
    refused = [numbers[which] for numbers in FORBIDDEN.values()]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, END),
        (LOAD, 0, 0, NUMBER),
    ]
    for number in refused:
        if number is not None:
            steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE)]
    return [
        *steps,
        (ANY_BIT, 0, 1, 0x4000_0000),  # calls of the x32 kind have other numbers
        (RETURN, 0, 0, REFUSE),
        # What clone3 is asked for lies in memory, where no filter looks; the C library then tries clone.
        (EQUAL, 0, 1, CLONE3[which]),
        (RETURN, 0, 0, NO_SUCH_CALL),
        (EQUAL, 0, 3, CLONE[which]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 1, 0, A_THREAD),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    ]


def _give_up_calls() -> None:
    which, architecture = ARCHITECTURES[platform.machine()]
    steps = _steps(which, architecture)
    program = (_Step * len(steps))(*(_Step(*step) for step in steps))
    libc = ctypes.CDLL(None, use_errno=True)
    _done(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _done(libc.prctl(SECCOMP, FILTER, ctypes.byref(_Filter(len(steps), ctypes.addressof(program)))))


def _give_up_capabilities() -> None:
    """Within its own namespace a process may undo what was mounted, unless it gives that up."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, none = (ctypes.c_uint32 * 2)(0x2008_0522, 0), (ctypes.c_uint32 * 6)()  # version 3, of this process
    _done(libc.capset(header, none))


# --- all of it ----------------------------------------------------------------------------------------------------------


def confine(hidden: Iterable[Path]) -> list[str]:
    """Give up what can be given up, for good; ``hidden`` are folders. Returns what holds: "limits", "files", "calls".

    To be called in a process of its own, before a second thread is started.
    """
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    holds = []
    if sys.platform != "win32":
        if sys.platform == "linux":
            with suppress(OSError):  # where it is forbidden, "files" is not among what holds
                _leave_the_files(hidden)
                holds.append("files")
        _limit()
        holds.append("limits")
    if sys.platform == "linux" and platform.machine() in ARCHITECTURES:
        _give_up_capabilities()
        _give_up_calls()
        holds.append("calls")
    return holds
