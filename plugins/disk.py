"""Tell when a disk is nearly full."""

import shutil

PATHS = ["/"]
LEAST_FREE = 10  # per cent


@deco(minutes=5)
def free_space():
    """Say how much is left, one line for each disk that is nearly full."""
    said = []
    for path in PATHS:
        disk = shutil.disk_usage(path)
        free = 100 * disk.free / disk.total
        if free < LEAST_FREE:
            said.append(f"{path} has {free:.1f}% of its space left ({disk.free / 1e9:.1f} GB)")
    return said
