"""A real repository: branches are pushed to it, and merged by `git` itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
    "GIT_AUTHOR_DATE": "2026-11-02T08:00:00Z",
    "GIT_COMMITTER_DATE": "2026-11-02T08:00:00Z",
}


class GitFailed(Exception):
    """Git has refused."""


class Repository:
    """A working copy, whose branches are those of the host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._pushes = 0
        self.git("init", "--quiet", "--initial-branch=main")
        self._write("README", "A shop.\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Begin")

    def git(self, *words: str) -> str:
        """Run git, and return what it prints; raise GitFailed."""
        environment = {**_ENVIRONMENT, "PATH": os.environ["PATH"], "HOME": str(self.folder)}
        ended = subprocess.run(
            ["git", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise GitFailed(ended.stderr.strip() or ended.stdout.strip())
        return ended.stdout.strip()

    def push(self, branch: str, file: str, content: str = "", *, onto: str = "main") -> str:
        """Commit a change of a file on a branch; return the commit."""
        self._pushes += 1
        is_new = branch not in self.git("branch", "--format=%(refname:short)").split()
        self.git("checkout", "--quiet", *(["-b", branch, onto] if is_new else [branch]))
        self._write(file, content or f"{self._pushes}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", f"--message=Change {file} ({self._pushes})")
        return self.head(branch)

    def head(self, branch: str) -> str:
        return self.git("rev-parse", f"refs/heads/{branch}")

    def files(self, source: str, target: str) -> list[str]:
        return self.git("diff", "--name-only", f"{target}...{source}").splitlines()

    def commits(self, branch: str = "main") -> list[str]:
        """Return the commits of a branch, the newest first, those of merged branches included."""
        return self.git("rev-list", branch).splitlines()

    def is_mergeable(self, source: str, target: str) -> bool:
        try:
            self.git("merge-tree", "--write-tree", target, source)
        except GitFailed:
            return False
        return True

    def merge(self, source: str, target: str, method: str) -> str:
        """Merge a branch; return the commit on the target."""
        self.git("checkout", "--quiet", target)
        try:
            if method == "squash":
                self.git("merge", "--quiet", "--squash", source)
                self.git("commit", "--quiet", f"--message=Squash {source}")
            elif method == "rebase":
                self.git("checkout", "--quiet", "--detach", source)
                self.git("rebase", "--quiet", target)
                self.git("branch", "--force", target, "HEAD")
            else:
                self.git("merge", "--quiet", "--no-ff", f"--message=Merge {source}", source)
        except GitFailed:
            self.git("reset", "--quiet", "--hard")
            raise
        return self.head(target)

    def _write(self, file: str, content: str) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
