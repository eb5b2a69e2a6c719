#!/usr/bin/env python3
"""Writes the messages archive-*.eml beside it: archives of all kinds, made
byte by byte where a library would not make them so. The archives themselves
go into tests/archive, for tests/fuzz_archive.

    tests/mime/archives.py
"""
import base64
import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
EXE = b"MZ\x90\0this program has no mode\r\n"


def message(name, filename, data, type="application/octet-stream"):
    if len(data) < 4000:
        with open(f"{HERE}/../archive/{name}", "wb") as f:
            f.write(data)
    lines = base64.encodebytes(data).decode()
    with open(f"{HERE}/archive-{name}.eml", "w", newline="") as f:
        f.write(f"From: a@example.org\nMIME-Version: 1.0\n"
                f"Content-Type: {type}\n"
                f'Content-Disposition: attachment; filename="{filename}"\n'
                f"Content-Transfer-Encoding: base64\n\n{lines}")


def make_zip(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in files:
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = method
            info.external_attr = 0o644 << 16
            z.writestr(info, data)
    return out.getvalue()


def make_tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()[:2048]


def make_gz(data, name=None):
    out = io.BytesIO()
    with gzip.GzipFile(name or "", "wb", fileobj=out, mtime=0) as g:
        g.write(data)
    return out.getvalue()


def make_7z(name, data, encrypted=False):
    """One file, not compressed. encrypted: its header is said to be."""
    def number(n):
        return bytes([n]) if n < 0x80 else bytes([0x80 | n >> 8, n & 0xff])
    utf16 = (name + "\0").encode("utf-16-le")
    crc = struct.pack("<I", zlib.crc32(data))
    coder = (b"\x24\x06\xf1\x07\x01\x02\x53\x07" if encrypted  # AES
             else b"\x01\x00")                                 # copy
    streams = (b"\x06" + number(0) + b"\x01\x09" + number(len(data)) + b"\0" +
               b"\x07\x0b\x01\0\x01" + coder + b"\x0c" +
               number(len(data)) + b"\x0a\x01" + crc + b"\0" +
               (b"" if encrypted else b"\x08\0") + b"\0")
    if encrypted:
        header = b"\x17" + streams
    else:
        header = (b"\x01\x04" + streams + b"\x05\x01\x11" +
                  number(len(utf16) + 1) + b"\0" + utf16 + b"\0\0")
    start = struct.pack("<QQI", len(data), len(header), zlib.crc32(header))
    return (b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) +
            start + data + header)


def make_rar4(name, data, flags=0):
    def block(kind, flags, body):
        rest = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(rest) & 0xffff) + rest
    file = struct.pack("<IIBIIBBHI", len(data), len(data), 2,
                       zlib.crc32(data), 0x50210000, 20, 0x30, len(name),
                       0o100644) + name
    return (b"Rar!\x1a\7\0" + block(0x73, 0, bytes(6)) +
            block(0x74, 0x8000 | flags, file) + data +
            block(0x7b, 0x4000, b""))


def make_rar5(name, data):
    def block(body, data=b""):
        body = bytes([len(body)]) + body
        return struct.pack("<I", zlib.crc32(body)) + body + data
    file = (b"\x02\x02" + bytes([len(data)]) + b"\x04" + bytes([len(data)]) +
            b"\x20" + struct.pack("<I", zlib.crc32(data)) + b"\0\x01" +
            bytes([len(name)]) + name)
    return (b"Rar!\x1a\7\1\0" + block(b"\x01\0\0") + block(file, data) +
            block(b"\x05\0\0"))


def make_cab(name, data):
    name += b"\0"
    files_at = 36 + 8
    data_at = files_at + 16 + len(name)
    checked = struct.pack("<HH", len(data), len(data)) + data
    size = data_at + 8 + len(data)
    return (b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, size, 0, files_at, 0,
                                  3, 1, 1, 1, 0, 0, 0) +
            struct.pack("<IHH", data_at, 1, 0) +
            struct.pack("<IIHHHH", len(data), 0, 0, 0x5021, 0, 0x20) + name +
            struct.pack("<I", 0) + checked)


def make_iso(name, data):
    """ISO 9660 (ECMA-119) with one file in its one directory."""
    def both(n, form):
        return struct.pack("<" + form, n) + struct.pack(">" + form, n)

    def record(name, at, size, flags):
        body = (b"\0" + both(at, "I") + both(size, "I") + bytes(7) +
                bytes([flags]) + b"\0\0" + both(1, "H") +
                bytes([len(name)]) + name)
        body += b"\0" * (len(body) + 1 & 1)
        return bytes([len(body) + 1]) + body
    root = record(b"\0", 20, 2048, 2)
    volume = (b"\1CD001\1\0" + b" " * 32 + b"DISK".ljust(32) + bytes(8) +
              both(22, "I") + bytes(32) + both(1, "H") + both(1, "H") +
              both(2048, "H") + both(10, "I") + struct.pack("<II", 18, 0) +
              struct.pack(">II", 19, 0) + root + b" " * 623 +
              b"0" * 16 + b"\0" + b"0" * 51 + b"\1\0")
    path = b"\1\0" + struct.pack("<I", 20) + b"\1\0\0\0"
    paths = b"\1\0" + struct.pack(">I", 20) + b"\0\1\0\0"
    listing = root + record(b"\1", 20, 2048, 2) + record(
        name, 21, len(data), 0)
    sectors = [volume, b"\xffCD001\1", path, paths, listing, data]
    return bytes(16 * 2048) + b"".join(s.ljust(2048, b"\0") for s in sectors)


def make_joliet(seen, hidden, data):
    """An image whose Rock Ridge names are others than its Joliet names, by
    which Windows goes."""
    def both(n, form):
        return struct.pack("<" + form, n) + struct.pack(">" + form, n)

    def record(name, at, size, flags, more=b""):
        body = (b"\0" + both(at, "I") + both(size, "I") + bytes(7) +
                bytes([flags]) + b"\0\0" + both(1, "H") +
                bytes([len(name)]) + name)
        body += b"\0" * (len(body) + 1 & 1) + more
        body += b"\0" * (len(body) + 1 & 1)
        return bytes([len(body) + 1]) + body

    def volume(kind, escape, root):
        return (kind + b"CD001\1\0" + b" " * 32 + b"DISK".ljust(32) +
                bytes(8) + both(24, "I") + escape.ljust(32, b"\0") +
                both(1, "H") + both(1, "H") + both(2048, "H") +
                both(10, "I") + struct.pack("<II", 19, 0) +
                struct.pack(">II", 20, 0) + root + b" " * 623 + b"0" * 16 +
                b"\0" + b"0" * 51 + b"\1\0")
    path = b"\1\0" + struct.pack("<I", 21) + b"\1\0\0\0"
    paths = b"\1\0" + struct.pack(">I", 21) + b"\0\1\0\0"
    name = seen.encode()
    def mode(n):
        return b"PX\x24\1" + both(n, "I") + both(1, "I") + bytes(16)
    listings = [
        record(b"\0", 21, 2048, 2, b"SP\7\1\xbe\xef\0" + mode(0o40755)) +
        record(b"\1", 21, 2048, 2) +
        record(b"A.;1", 23, len(data), 0, mode(0o100644) + b"NM" +
               bytes([5 + len(name)]) + b"\1\0" + name),
        record(b"\0", 22, 2048, 2) + record(b"\1", 22, 2048, 2) +
        record(hidden.encode("utf-16-be"), 23, len(data), 0)]
    sectors = [volume(b"\1", b"", record(b"\0", 21, 2048, 2)),
               volume(b"\2", b"%/E", record(b"\0", 22, 2048, 2)),
               b"\xffCD001\1", path, paths, *listings, data]
    return bytes(16 * 2048) + b"".join(s.ljust(2048, b"\0") for s in sectors)


def attribute(id, data, level=2):
    return (bytes([level]) + struct.pack("<II", id, len(data)) + data +
            struct.pack("<H", sum(data) & 0xffff))


def properties(*items):
    out = struct.pack("<I", len(items))
    for type, id, value in items:
        out += struct.pack("<HHII", type, id, 1, len(value)) + value
        out += bytes(-len(value) % 4)
    return out


def make_tnef(*attributes):
    return (b"\x78\x9f\x3e\x22\1\0" + attribute(0x00089006, b"\0\0\1\0", 1) +
            b"".join(attributes))


def tnef_file(title, data, *props):
    return (attribute(0x00069002, bytes(14)) +
            attribute(0x00018010, title + b"\0") +
            attribute(0x0006800f, data) +
            (attribute(0x00069005, properties(*props)) if props else b""))


os.makedirs(f"{HERE}/../archive", exist_ok=True)
exe = [("docs/", b""), ("docs/setup.exe", EXE)]
plain = make_zip(exe)
message("zip", "invoice.zip", plain, "application/zip")
message("zip-called-text", "invoice.txt", plain, "text/plain")
message("zip-nested", "outer.zip", make_zip([("inner.zip", make_zip(exe)),
                                             ("readme.txt", b"hello")]))
deep = make_zip([("setup.exe", EXE)])
for i in range(6):
    deep = make_zip([(f"{i}.zip", deep)])
message("zip-too-deep", "deep.zip", deep)
message("zip-document", "letter.docx", make_zip(
    [("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")]))
message("zip-document-renamed", "letter.zip", make_zip(
    [("[Content_Types].xml", b"<Types/>"), ("setup.exe", EXE)]))
locked = bytearray(plain)
for i in range(len(locked) - 4):
    if locked[i:i + 4] == b"PK\3\4":
        locked[i + 6] |= 1
    if locked[i:i + 4] == b"PK\1\2":
        locked[i + 8] |= 1
message("zip-encrypted", "locked.zip", bytes(locked))
at = plain.rindex(b"docs/setup.exe")
message("zip-two-names", "two.zip",
        plain[:at] + b"docs/notes.txt" + plain[at + 14:])
message("zip-sfx", "setup.exe", EXE * 20 + make_zip([("evil.js", b"x")]))
message("zip-cut", "cut.zip", make_zip([("setup.exe", EXE * 9)])[:60])
message("zip-none", "none.zip", b"this is no archive\n")
message("zip-unicode-path", "path.zip", b"PK\3\4\x14\0" + bytes(8) +
        struct.pack("<IIIHH", zlib.crc32(b"x"), 1, 1, 5, 19) + b"a.txt" +
        struct.pack("<HHBI", 0x7075, 15, 1, zlib.crc32(b"a.txt")) +
        "übel.exe ".encode() + b"x")
message("zip-cp437", "namen.zip", make_zip([("aaaa.exe", EXE)]).replace(
    b"aaaa.exe", b"\x81bel.exe"))
message("tar", "files.tar", make_tar(exe))
message("tar-gz", "files.tar.gz", make_gz(make_tar(exe)))
message("tar-bz2", "files.tbz2", bz2.compress(make_tar(exe)))
message("tar-xz", "files.tar.xz", lzma.compress(make_tar(exe)))
message("tar-zst", "files.tar.zst", b"\x28\xb5\x2f\xfd\x60\0\7" +
        struct.pack("<I", 2048 << 3 | 1)[:3] + make_tar(exe))
message("gz", "setup.exe.gz", make_gz(EXE))
message("gz-name", "holiday.gz", make_gz(EXE, "setup.exe"))
message("7z", "files.7z", make_7z("übel.exe", EXE))
message("7z-encrypted", "files.7z", make_7z("x", EXE, True))
message("7z-sfx", "view.exe", EXE * 20 + make_7z("evil.js", b"x"))
message("rar4", "files.rar", make_rar4(b"docs\\setup.exe", EXE))
message("rar4-encrypted", "files.rar", make_rar4(b"setup.exe", EXE, 4))
message("rar5", "files.rar", make_rar5(b"docs/setup.exe", EXE))
message("rar5-junk", "files.rar", b"junk " * 9 +
        make_rar5("\u202excod.exe".encode(), EXE))
message("cab", "files.cab", make_cab(b"setup.exe", EXE))
message("iso-gz", "disk.iso.gz", make_gz(make_iso(b"SETUP.EXE;1", EXE)))
message("iso-called-picture-gz", "cat.png.gz",
        make_gz(make_iso(b"CAT.EXE;1", EXE)))
message("img-none", "disk.img", b"\xeb\x3c\x90MSDOS5.0" + bytes(500))
message("img-udf", "disk.img", bytes(0x8000) + b"".join(
    b"\0" + id + b"\1" + bytes(2041) for id in (b"BEA01", b"NSR02", b"TEA01")))
message("iso-joliet-gz", "disk.iso.gz", make_gz(make_joliet(
    "readme.txt", "readme.exe", EXE)))
message("rar-none", "none.rar", b"Rar!\x1a\7\1\0" + b"x" * 50)
message("arj", "files.arj", b"\x60\xea" + bytes(40))
message("vhd-called-picture", "disk.png", b"conectix" + bytes(504))
message("compress", "setup.exe.Z", b"\x1f\x9d\x90" + bytes(30))
message("tnef", "winmail.dat", make_tnef(
    tnef_file(b"SETUP~1.TXT", EXE,
              (0x1f, 0x3707, "setup übel.exe\0".encode("utf-16-le"))),
    tnef_file(b"files.zip", plain)), "application/ms-tnef")
inner = make_tnef(tnef_file(b"setup.exe", EXE))
message("tnef-message", "winmail.dat", make_tnef(
    attribute(0x00069002, bytes(14)) + attribute(0x00069005, properties(
        (0x1e, 0x3001, b"A message\0"),
        (0x0d, 0x3701, bytes(16) + inner)))), "application/ms-tnef")
message("tnef-cut", "winmail.dat", make_tnef(tnef_file(b"a.exe", EXE))[:-30],
        "application/ms-tnef")
