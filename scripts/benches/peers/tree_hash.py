"""The tree hash as a plain Python program computes it: pathlib for the walk, hashlib for the bytes.

usage: python3 tree_hash.py FOLDER [--git]     --git adds the seven git calls of a provenance record
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path


def entry_line(root: Path, path: Path) -> str:
    name = path.relative_to(root).as_posix()
    if path.is_symlink():
        return f"{name}\x00120000\x00{hashlib.sha256(os.readlink(path).encode()).hexdigest()}"
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 16), b""):
            digest.update(chunk)
    mode = "100755" if path.stat().st_mode & 0o100 else "100644"
    return f"{name}\x00{mode}\x00{digest.hexdigest()}"


def tree_hash(root: Path) -> str:
    paths = [p for p in root.rglob("*") if p.is_symlink() or p.is_file()]
    paths.sort(key=lambda p: p.relative_to(root).as_posix())
    return hashlib.sha256("\n".join(entry_line(root, p) for p in paths).encode()).hexdigest()


def git(root: Path, *words: str) -> "str | None":
    ran = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    return ran.stdout.strip() or None if ran.returncode == 0 else None


def record(root: Path) -> dict:
    return {
        "hash": tree_hash(root),
        "top": git(root, "rev-parse", "--show-toplevel"),
        "commit": git(root, "rev-parse", "HEAD"),
        "ref": git(root, "symbolic-ref", "--short", "HEAD"),
        "remote": git(root, "remote", "get-url", "origin"),
        "author": [git(root, "log", "-1", "--format=%an"), git(root, "log", "-1", "--format=%ae")],
        "dirty": git(root, "status", "--porcelain") is not None,
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    print(json.dumps(record(folder)) if "--git" in sys.argv else tree_hash(folder))
