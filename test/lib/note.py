#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# note.py FILE: prints the lines of the note that says what one of the
# module's two objects was made for.  Invariant: it reads the file as an ELF
# file of its own accord, and neither the tool nor the module has a say.

import struct
import sys


def sections(data):
    """(name, bytes) of each section of a 64-bit little-endian ELF file."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no ELF file of 64 bits")
    at, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    heads = [struct.unpack_from("<IIQQQQ", data, at + i * size)
             for i in range(count)]
    texts = heads[names][4]
    for head in heads:
        name = data[texts + head[0]:].split(b"\0", 1)[0]
        yield name.decode("ascii"), data[head[4]:head[4] + head[5]]


def note(data):
    """The text of the note."""
    for name, content in sections(data):
        if name != ".note.ntsign":
            continue
        owner_len, text_len, kind = struct.unpack_from("<III", content)
        if (content[12:12 + owner_len], kind) != (b"ntsign\0", 1):
            raise ValueError("the note is not ours")
        text = content[12 + (owner_len + 3) // 4 * 4:][:text_len]
        if not text.endswith(b"\0"):
            raise ValueError("the note has no end")
        return text.split(b"\0", 1)[0].decode("ascii")
    raise ValueError("no section .note.ntsign")


def main():
    try:
        with open(sys.argv[1], "rb") as f:
            print(note(f.read()).rstrip("\n"))
    except (OSError, ValueError, struct.error) as error:
        sys.exit("%s: %s" % (sys.argv[1], error))


if __name__ == "__main__":
    main()
