#!/usr/bin/env python3
"""Makes the archives of a release: the same bytes from the same files, whenever and wherever it runs.

usage: archives.py zip ARCHIVE NAME=FILE ...     the times in it are SOURCE_DATE_EPOCH's
       archives.py tar ARCHIVE.tar.gz NAME=FILE ...
       archives.py sums FOLDER                   writes SHA256SUMS of the files in it
       archives.py glibc NEWEST FILE             fails where a program asks for a newer glibc
       archives.py machine ARCHIVE.zip           prints for which processor its `bootstrap` is
"""

import gzip
import hashlib
import io
import os
import re
import sys
import tarfile
import time
import zipfile
from pathlib import Path

MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "aarch64"}


def epoch():
    # A zip can't say an earlier time than this one.
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800)


def entries(words):
    """The files of an archive with the modes that they get, ordered by name."""
    for name, file in sorted(word.split("=", 1) for word in words):
        yield name, Path(file).read_bytes(), 0o755 if os.access(file, os.X_OK) or name == "bootstrap" else 0o644


def write_zip(archive, words):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, content, mode in entries(words):
            entry = zipfile.ZipInfo(name, time.gmtime(epoch())[:6])
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, content)


def tarred(files):
    """Returns a tar of (name, content, mode), with folders before what is in them."""
    out = io.BytesIO()
    folders = set()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content, mode in files:
            for folder in reversed(Path(name).parents[:-1]):
                if folder not in folders:
                    folders.add(folder)
                    entry = tarfile.TarInfo(str(folder))
                    entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, epoch()
                    tar.addfile(entry)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), mode, epoch()
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def gzipped(content):
    return gzip.compress(content, 9, mtime=epoch())


def write_tar(archive, words):
    Path(archive).write_bytes(gzipped(tarred(entries(words))))


def write_sums(folder):
    files = sorted(file for file in Path(folder).iterdir() if file.name != "SHA256SUMS" and file.is_file())
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (Path(folder) / "SHA256SUMS").write_text("".join(lines))


def check_glibc(newest, file):
    number = lambda text: tuple(int(part) for part in text.split("."))
    asked = [found.decode() for found in re.findall(rb"GLIBC_(2\.[0-9]+)\0", Path(file).read_bytes())]
    most = max(asked, key=number, default="2.0")
    if number(most) > number(newest):
        sys.exit(f"{file} asks for glibc {most}; {newest} is the newest that it will find")


def machine(archive):
    with zipfile.ZipFile(archive) as opened, opened.open("bootstrap") as program:
        begin = program.read(20)
    print(MACHINES.get(begin[18:20], "unknown") if begin[:4] == b"\x7fELF" else "unknown")


def main():
    match sys.argv[1:]:
        case ["zip", archive, *words]:
            write_zip(archive, words)
        case ["tar", archive, *words]:
            write_tar(archive, words)
        case ["sums", folder]:
            write_sums(folder)
        case ["glibc", newest, file]:
            check_glibc(newest, file)
        case ["machine", archive]:
            machine(archive)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
