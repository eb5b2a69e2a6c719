"""A name server on loopback for tests: what it is told, by UDP."""

import ipaddress
import socketserver
import struct
import threading

A, PTR, MX, TXT, AAAA = 1, 12, 15, 16, 28
SILENT = object()  # a name that is never answered
FAILING = object()  # one that can't be looked up for now: SERVFAIL


def labels(name):
    return b"".join(bytes([len(part)]) + part.encode()
                    for part in name.split(".")) + b"\0"


def data_of(kind, value):
    if kind in (A, AAAA):
        return ipaddress.ip_address(value).packed
    if kind == PTR:
        return labels(value)
    if kind == MX:
        return struct.pack(">H", 10) + labels(value)
    text = value.encode()
    return b"".join(bytes([len(text[i:i + 255])]) + text[i:i + 255]
                    for i in range(0, len(text), 255))


class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        question, sock = self.request
        reply = self.server.answer(question)
        if reply:
            sock.sendto(reply, self.client_address)


class NameServer(socketserver.ThreadingUDPServer):
    """zone: {name: {type: [value, ...]}}, or SILENT or FAILING in place of
    the types."""

    daemon_threads = True

    def __init__(self, zone, port=0):
        super().__init__(("127.0.0.1", port), Answer)
        self.zone = {name.lower(): records for name, records in zone.items()}
        self.address = "127.0.0.1:%d" % self.server_address[1]
        self.asked = []
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()

    def answer(self, message):
        at, name = 12, []
        while message[at]:
            name.append(message[at + 1:at + 1 + message[at]].decode())
            at += 1 + message[at]
        kind = struct.unpack(">H", message[at + 1:at + 3])[0]
        name = ".".join(name).lower()
        self.asked.append((name, kind))
        records = self.zone.get(name)
        if records is SILENT:
            return None
        status = (3 if records is None else 2 if records is FAILING else 0)
        values = [] if status else records.get(kind, [])
        head = struct.pack(">HHHHHH", struct.unpack(">H", message[:2])[0],
                           0x8180 | status, 1, len(values), 0, 0)
        body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60,
                                                  len(data)) + data
                        for data in (data_of(kind, v) for v in values))
        return head + message[12:at + 5] + body
