"""Explain errors caused by the environment: which library, limit or program is missing, and how to get it."""

from __future__ import annotations

import errno
import sys
from types import FrameType, TracebackType

from slack_alert.core.patterns import lazy_pattern

#: Standard library modules that are only built if a system library is present, and the packages that provide it.
_OPTIONAL = {
    "sqlite3": "libsqlite3-dev or sqlite-devel",
    "ssl": "libssl-dev or openssl-devel",
    "hashlib": "libssl-dev or openssl-devel",
    "ctypes": "libffi-dev or libffi-devel",
    "bz2": "libbz2-dev or bzip2-devel",
    "lzma": "liblzma-dev or xz-devel",
    "zlib": "zlib1g-dev or zlib-devel",
    "curses": "libncurses-dev or ncurses-devel",
    "dbm": "libgdbm-dev or gdbm-devel",
    "gdbm": "libgdbm-dev or gdbm-devel",
    "readline": "libreadline-dev or readline-devel",
    "tkinter": "tk-dev or tk-devel",
    "uuid": "uuid-dev or libuuid-devel",
}
#: Modules whose distribution has another name.
_DISTRIBUTIONS = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "git": "GitPython",
    "jwt": "PyJWT",
    "ldap": "python-ldap",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
_LIBRARY = lazy_pattern(r"([\w.+-]+\.(?:so|dylib)[\w.]*): cannot open shared object file")
_C_LIBRARY = lazy_pattern(r"GLIBC(?:XX)?_[\d.]+' not found|Error relocating|Error loading shared library")

_PROCESSES = (
    "raise the limit (`ulimit -u`, TasksMax= in the unit, --pids-limit of the container), or let fewer go on at once"
)
_SEMAPHORES = (
    "this machine gives no semaphores or shared memory, which multiprocessing needs: mount /dev/shm, large enough "
    "(`mount -t tmpfs tmpfs /dev/shm`, --shm-size of the container), or use threads"
)
_BY_NUMBER = {
    errno.EMFILE: "no file descriptor is left for this process: raise the limit (`ulimit -n`, LimitNOFILE= in the "
    "unit), or close what is opened again and again",
    errno.ENFILE: "no file descriptor is left on this machine: raise it with `sysctl fs.file-max`",
    errno.ENOSPC: "the disk is full: make room there",
    errno.EROFS: "the file system is read-only: mount it to be written, or write elsewhere",
    errno.ENOMEM: "this machine, or this container, has no memory left: give it more, or let less go on at once",
}
if hasattr(errno, "EDQUOT"):
    _BY_NUMBER[errno.EDQUOT] = "this user's share of the disk is used up: make room, or have the quota raised"


def machine_lack(error: BaseException) -> str:
    """Return a sentence on what this machine lacks and how to get it, or an empty text for any other error."""
    said = _lack(error)
    return f"{said[0].upper()}{said[1:]}." if said else ""


def _lack(error: BaseException) -> str:
    if isinstance(error, ImportError):
        return _import_lack(error)
    if isinstance(error, OSError):
        return _system_lack(error)
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return f"no thread can be started any more: {_PROCESSES}"
    if type(error).__name__ == "ZoneInfoNotFoundError" and not has_zones():
        return _NO_ZONES
    if type(error).__module__ == "locale" and "unsupported locale" in str(error):
        return "this machine does not have that locale: install it (`locale-gen`), or take C.UTF-8"
    return ""


_NO_ZONES = "this machine has no time zones: install its package tzdata, or `pip install tzdata`"
#: `_NO_ZONES` as a sentence.
NO_ZONES = f"{_NO_ZONES[0].upper()}{_NO_ZONES[1:]}."


def has_zones() -> bool:
    """Return whether this machine has time zone data."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo("Europe/London")
    except (KeyError, OSError):
        return False
    return True


def _import_lack(error: ImportError) -> str:
    said, name = error.msg or str(error), (error.name or "").lstrip("_")
    if "sem_open" in said or name == "multiprocessing":
        return _SEMAPHORES
    if found := _LIBRARY.search(said):
        library = found.group(1)
        return (
            f"the system's library {library} is missing: install the package that has it "
            f"(`apt-file search {library}`, `dnf provides '*/{library}'`)"
        )
    if _C_LIBRARY.search(said):
        return "a package was built for another system: install it again on this one (`pip install --force-reinstall`)"
    if packages := _OPTIONAL.get(name.partition(".")[0]):
        return (
            f"this Python was built without {name}: take the system's Python, or install {packages} and build it again"
        )
    return _package_lack(error.name or "") if isinstance(error, ModuleNotFoundError) else ""


def _package_lack(name: str) -> str:
    top = name.partition(".")[0]
    # If the top-level package is there, the name of the submodule is wrong.
    if not top or top in sys.modules or top in sys.stdlib_module_names or top in ("plugins", "packs"):
        return ""
    package = _DISTRIBUTIONS.get(top, top)
    return f"the module {top} is not installed for this Python: `{sys.executable} -m pip install {package}`"


def _system_lack(error: OSError) -> str:
    place = _module(error.__traceback__)
    if error.errno in _NOT_SHARED.get(place, ()):
        return _SEMAPHORES
    if place in ("subprocess", "multiprocessing.popen_fork", "multiprocessing.util"):
        return _program_lack(error)
    if _is_untrusted(error):
        return (
            "this machine does not know who signed the certificate: install its package ca-certificates, or name a "
            "file that has the right one (SSL_CERT_FILE; `ca_file` for Slack)"
        )
    return _BY_NUMBER.get(error.errno or 0, "")


def _program_lack(error: OSError) -> str:
    program = error.filename if isinstance(error.filename, str) else ""
    if error.errno == errno.EAGAIN:
        return f"no process can be started any more: {_PROCESSES}"
    if error.errno == errno.ENOENT and program and "/" not in program:
        return f"the program {program} is not installed here, or not in PATH: install it, or write its whole path"
    if error.errno == errno.ENOEXEC:
        return f"the program {program} is for another processor, or a script without a first line such as #!/bin/sh"
    return _BY_NUMBER.get(error.errno or 0, "")


def _is_untrusted(error: OSError) -> bool:
    # By name: `ssl` may be what is missing.
    return type(error).__name__ == "SSLCertVerificationError" and getattr(error, "verify_code", 0) == _NO_ISSUER


_NO_ISSUER = 20
_REFUSED = (errno.ENOSYS, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC)
#: Error numbers raised by modules that need /dev/shm. ENOENT of shared memory only means that a block does not exist.
_NOT_SHARED = {
    "multiprocessing.synchronize": (*_REFUSED, errno.ENOENT),
    "multiprocessing.shared_memory": _REFUSED,
    "multiprocessing.heap": _REFUSED,
}


def _module(trace: TracebackType | None) -> str:
    """Return the name of the module in which an error was raised."""
    frame: FrameType | None = None
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
    return str(frame.f_globals.get("__name__", "")) if frame is not None else ""
