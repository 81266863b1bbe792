# SPDX-License-Identifier: GPL-3.0-or-later
#
# Remote registry requests as bytes, good ones and every kind of malformed
# one, and a pipe to send them over: impacket for SMB, PDUs made here, so
# that any fragment, write and read can be chosen.  Invariant: what a pipe
# returns is what came over the wire, as (kind, value) pairs.

import struct

from impacket.dcerpc.v5 import transport
from impacket.nt_errors import ERROR_MESSAGES
from impacket.smb import SessionError as Smb1Error
from impacket.smb3 import SessionError as Smb3Error
from impacket.smbconnection import SessionError, SMBConnection

DIALECTS = {"NT1": "NT LM 0.12", "SMB2_02": 0x0202, "SMB2_10": 0x0210,
            "SMB3_00": 0x0300, "SMB3_11": 0x0311}

WINREG = bytes.fromhex("01d08c334422f131aaaa900038001003") + \
    struct.pack("<I", 1)
NDR = bytes.fromhex("045d888aeb1cc9119fe808002b104860") + struct.pack("<I", 2)
NDR64 = bytes.fromhex("33057171babe37498319b5dbef9ccc36") + \
    struct.pack("<I", 1)
SRVSVC = bytes.fromhex("c84f324b7016d30112785a47bf6ee188") + \
    struct.pack("<I", 3)

FIRST, LAST = 1, 2
REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, ALTER, ALTER_RESP = \
    0, 2, 3, 11, 12, 14, 15
NDR_FAULT, RANGE_FAULT, PROTO_FAULT = 0x6F7, 0x1C010002, 0x1C01000B
SECURITY_FAULT = 0x721


# --- stubs -------------------------------------------------------------------

def string(text, length=None, maximum=None, max_count=None, offset=0,
           actual=None, null=False):
    """RRP_UNICODE_STRING with its buffer; any number may be chosen."""
    data = (text + "\0").encode("utf-16-le")
    count = len(data) // 2
    out = struct.pack("<HHI", len(data) if length is None else length,
                      len(data) if maximum is None else maximum,
                      0 if null else 0x20000)
    if null:
        return out
    out += struct.pack("<III", count if max_count is None else max_count,
                       offset, count if actual is None else actual) + data
    return out + bytes(-len(out) % 4)


def open_hklm():
    """OpenLocalMachine: (opnum, stub)."""
    return 2, struct.pack("<III", 0, 0x02000000, 0)[:8]


def open_key(handle, name="SOFTWARE", **numbers):
    """BaseRegOpenKey."""
    return 15, handle + string(name, **numbers) + \
        struct.pack("<II", 0, 0x02000000)


def enum_key(handle, index=0):
    """BaseRegEnumKey."""
    return 9, handle + struct.pack(
        "<IHHIIIIIHHII", index, 0, 512, 0x20000, 256, 0, 0, 0x20004, 0, 0, 0,
        0)


def ms00_040(handle):
    """The request of MS00-040: its Length is 0xFFFF."""
    return open_key(handle, "SOFTWARE", length=0xFFFF, maximum=0x20A,
                    max_count=0x105)


def malformed(handle):
    """Every kind of malformed request: {name: (opnum, stub, fault)}."""
    good = open_key(handle)[1]

    def bad(**numbers):
        return open_key(handle, **numbers) + (NDR_FAULT,)
    return {
        "MS00-040": ms00_040(handle) + (NDR_FAULT,),
        "no such operation": (36, b"", RANGE_FAULT),
        "a far operation": (0xFFFF, good, RANGE_FAULT),
        "no stub": (15, b"", NDR_FAULT),
        "a stub cut off": (15, good[:-1], NDR_FAULT),
        "four bytes more": (15, good + bytes(4), NDR_FAULT),
        "one byte more": (15, good + b"x", NDR_FAULT),
        "Length over MaximumLength": bad(length=20, maximum=18),
        "Length odd": bad(length=17),
        "Length too small": bad(length=14),
        "Length too large": bad(length=20, maximum=20),
        "actual count over maximum count": bad(max_count=8),
        "offset not 0": bad(offset=1),
        "Length without a buffer": (15, handle + string(
            "", length=2, maximum=2, null=True) + struct.pack("<II", 0, 1),
            NDR_FAULT),
        "actual count past the end": bad(max_count=0x7FFFFFFF,
                                         actual=0x7FFFFFFF),
    }


# --- PDUs --------------------------------------------------------------------

def header(kind, body, flags=FIRST | LAST, call=1, length=None, minor=0,
           drep=b"\x10\0\0\0", auth_length=0):
    """The common header and a body."""
    order = "<" if drep[0] & 0x10 else ">"
    return struct.pack("BBBB", 5, minor, kind, flags) + drep + struct.pack(
        order + "HHI", 16 + len(body) if length is None else length,
        auth_length, call) + body


def bind(contexts=((0, WINREG, (NDR,)),), kind=BIND, call=1):
    """A bind or alter_context."""
    body = struct.pack("<HHIBBH", 4280, 4280, 0, len(contexts), 0, 0)
    for context, syntax, transfers in contexts:
        body += struct.pack("<HBB", context, len(transfers), 0) + syntax + \
            b"".join(transfers)
    return header(kind, body, call=call)


def request(opnum, stub, call=2, context=0, fragment=None, **kwargs):
    """A request, in fragments of so many bytes of stub: a list of PDUs."""
    size = fragment or max(len(stub), 1)
    parts = [stub[i:i + size] for i in range(0, len(stub), size)] or [b""]
    pdus = []
    for i, part in enumerate(parts):
        flags = (FIRST if i == 0 else 0) | \
            (LAST if i == len(parts) - 1 else 0)
        pdus.append(header(REQUEST, struct.pack(
            "<IHH", len(part), context, opnum) + part, flags, call,
            **kwargs))
    return pdus


def answers_of(data):
    """PDUs as (kind, call, value): a fault's status, a response's stub."""
    found = []
    while data:
        kind, flags = data[2], data[3]
        length, _, call = struct.unpack("<HHI", data[8:16])
        body = data[16:length]
        value = body
        if kind == FAULT:
            value = struct.unpack("<I", body[8:12])[0]
        elif kind == RESPONSE:
            value = body[8:]
        found.append((kind, call, value, flags))
        data = data[length:]
    return found


# --- a pipe ------------------------------------------------------------------

class Pipe:
    """A named pipe over SMB; errors come back as ("error", "STATUS_...")."""

    last_call = None        # of the latest answer: its call id
    last_flags = 0          # and its flags

    def __init__(self, port, dialect="SMB3_11", user="", password="",
                 name="winreg", connection=None):
        self.connection = connection or connect(port, dialect, user,
                                                password)
        self.tree = self.connection.connectTree("IPC$")
        self.file = None
        self.error = None
        self.call = 1
        try:
            self.file = self.connection.openFile(self.tree, "\\" + name)
        except SMB_ERRORS as error:
            self.error = status_of(error)

    def write(self, data):
        """One write; None, or the error."""
        try:
            self.connection.writeNamedPipe(self.tree, self.file, data, True)
        except SMB_ERRORS as error:
            return status_of(error)
        return None

    def read(self):
        """One read: the PDU's (kind, value), or ("error", status)."""
        try:
            data = self.connection.readNamedPipe(self.tree, self.file,
                                                 65535)
        except SMB_ERRORS as error:
            return "error", status_of(error)
        while data and len(data) < struct.unpack("<H", data[8:10])[0]:
            data += self.connection.readNamedPipe(self.tree, self.file,
                                                  65535)
        kind, self.last_call, value, self.last_flags = answers_of(data)[0]
        return NAMES.get(kind, kind), value

    def send(self, pdus, split=None, joined=False):
        """Writes PDUs: each in one write, all in one, or in pieces."""
        data = [b"".join(pdus)] if joined or split else pdus
        if split:
            data = [data[0][i:i + split]
                    for i in range(0, len(data[0]), split)]
        for piece in data:
            error = self.write(piece)
            if error:
                return error
        return None

    def ask(self, opnum, stub, split=None, joined=False, **kwargs):
        """A request and its answer: (kind, value)."""
        self.call += 1
        error = self.send(request(opnum, stub, call=self.call, **kwargs),
                          split, joined)
        if error:
            return "error", error
        return self.read()

    def bound(self, **kwargs):
        """Binds; True when that was accepted."""
        error = self.write(bind(**kwargs))
        return error is None and self.read()[0] == "bind_ack"

    def hklm(self):
        """A handle of HKEY_LOCAL_MACHINE."""
        kind, value = self.ask(*open_hklm())
        return value[:20] if kind == "response" else None

    def close(self):
        """Ends the connection."""
        try:
            self.connection.close()
        except Exception:   # it may be gone already
            pass


NAMES = {RESPONSE: "response", FAULT: "fault", BIND_ACK: "bind_ack",
         13: "bind_nak", ALTER_RESP: "alter_ack"}
SMB_ERRORS = (SessionError, Smb1Error, Smb3Error)


def status_of(error):
    """The NTSTATUS of impacket's exceptions, as a name."""
    code = error.getErrorCode() if hasattr(error, "getErrorCode") else None
    if code in ERROR_MESSAGES:
        return ERROR_MESSAGES[code][0]
    return "0x%08X" % code if isinstance(code, int) else str(error)


def connect(port, dialect, user, password):
    """A session; with no user an anonymous one."""
    c = SMBConnection("127.0.0.1", "127.0.0.1", sess_port=port,
                      preferredDialect=DIALECTS[dialect], timeout=30)
    if dialect == "SMB3_11":
        # impacket 0.10 carries NEGOTIATE's hash over into the session for
        # Kerberos only; without it an NTLM session's key is a wrong one.
        server = c.getSMBServer()
        server._Session["PreauthIntegrityHashValue"] = \
            server._Connection["PreauthIntegrityHashValue"]
    c.login(user, password)
    return c


def rpc(connection, name):
    """impacket's own DCE/RPC over a pipe of a connection."""
    return transport.SMBTransport("127.0.0.1", filename="\\" + name,
                                  smb_connection=connection).get_dce_rpc()
