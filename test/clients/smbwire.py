# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the raw SMB clients share: frames on a socket, NTLM, NTLMSSP and the
# little of SPNEGO that carries it.  Invariant: nothing here decides for a
# test; what goes on the wire is what the caller asked for, right or wrong.

import calendar
import hashlib
import hmac
import os
import socket
import struct
import time

from Cryptodome.Cipher import ARC4, DES
from Cryptodome.Hash import MD4

STATUS_SUCCESS = 0x00000000
STATUS_MORE_PROCESSING_REQUIRED = 0xC0000016

STATUS_NAMES = {
    0x00000000: "NT_STATUS_OK",
    0xC0000002: "NT_STATUS_NOT_IMPLEMENTED",
    0xC0000008: "NT_STATUS_INVALID_HANDLE",
    0xC000000D: "NT_STATUS_INVALID_PARAMETER",
    0xC0000016: "NT_STATUS_MORE_PROCESSING_REQUIRED",
    0xC0000022: "NT_STATUS_ACCESS_DENIED",
    0xC0000034: "NT_STATUS_OBJECT_NAME_NOT_FOUND",
    0xC0000064: "NT_STATUS_NO_SUCH_USER",
    0xC000006A: "NT_STATUS_WRONG_PASSWORD",
    0xC000006D: "NT_STATUS_LOGON_FAILURE",
    0xC0000072: "NT_STATUS_ACCOUNT_DISABLED",
    0xC00000AC: "NT_STATUS_PIPE_NOT_AVAILABLE",
    0xC00000BB: "NT_STATUS_NOT_SUPPORTED",
    0xC00000CC: "NT_STATUS_BAD_NETWORK_NAME",
    0xC00000E5: "NT_STATUS_INTERNAL_ERROR",
    0xC0000001: "NT_STATUS_UNSUCCESSFUL",
    0xC0000203: "NT_STATUS_USER_SESSION_DELETED",
    0xC000035C: "NT_STATUS_NETWORK_SESSION_EXPIRED",
}


def status_name(status):
    """The usual name of an NTSTATUS, or its number."""
    if status is None:
        return None
    return STATUS_NAMES.get(status, "0x%08X" % status)


class Closed(Exception):
    """The server has closed the connection."""


class Malformed(Exception):
    """The server has sent what no client could read."""


class Transport:
    """Frames with a four-byte length over TCP."""

    def __init__(self, host, port, source=None, timeout=15):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect((host, port))
        self.local = self.sock.getsockname()[:2]

    @staticmethod
    def frame(payload):
        """PAYLOAD with its length before it."""
        return struct.pack(">I", len(payload) & 0x00FFFFFF) + payload

    def send_bytes(self, data, pieces=1):
        """DATA as it is, in that many segments."""
        size = max(1, -(-len(data) // max(1, pieces)))
        try:
            for i in range(0, len(data), size):
                self.sock.sendall(data[i:i + size])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from None

    def send(self, payload, pieces=1):
        """One frame."""
        self.send_bytes(self.frame(payload), pieces)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.sock.recv(count - len(data))
            except ConnectionResetError as error:
                raise Closed(str(error)) from None
            if not more:
                raise Closed("closed by the server")
            data += more
        return data

    def receive(self):
        """The next frame's payload; keep-alives are passed over."""
        while True:
            head = struct.unpack(">I", self._exactly(4))[0]
            payload = self._exactly(head & 0x00FFFFFF)
            if head >> 24 != 0x85:
                return payload

    def closed_by_server(self, timeout=5):
        """Whether the server ends the connection within TIMEOUT."""
        self.sock.settimeout(timeout)
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except (socket.timeout, TimeoutError):
            return False

    def close(self):
        """Ends the connection."""
        self.sock.close()


# --- NTLM --------------------------------------------------------------------

def des(key7, block):
    """DES with a key of seven bytes."""
    bits = int.from_bytes(key7.ljust(7, b"\0")[:7], "big")
    key = bytes(((bits >> (49 - 7 * i)) & 0x7F) << 1 for i in range(8))
    return DES.new(key, DES.MODE_ECB).encrypt(block)


def nt_hash(password):
    """The NT hash of a password."""
    return MD4.new(password.encode("utf-16-le")).digest()


def lm_hash(password):
    """The LM hash of a password."""
    text = password.upper().encode("ascii", "replace").ljust(14, b"\0")[:14]
    return des(text[:7], b"KGS!@#$%") + des(text[7:], b"KGS!@#$%")


def response24(hash16, challenge):
    """The 24 bytes that answer CHALLENGE in NTLMv1 and LM."""
    key = hash16.ljust(21, b"\0")
    return b"".join(des(key[i:i + 7], challenge) for i in (0, 7, 14))


def hmac_md5(key, data):
    """HMAC-MD5."""
    return hmac.new(key, data, hashlib.md5).digest()


def ntlmv2_hash(user, password, domain):
    """The NTLMv2 hash of an account."""
    name = (user.upper() + domain).encode("utf-16-le")
    return hmac_md5(nt_hash(password), name)


def ntlmv2_response(user, password, domain, challenge, target_info):
    """(response, session key) of NTLMv2."""
    key = ntlmv2_hash(user, password, domain)
    now = (calendar.timegm(time.gmtime()) + 11644473600) * 10000000
    blob = (b"\x01\x01" + bytes(6) + struct.pack("<Q", now) + os.urandom(8) +
            bytes(4) + target_info + bytes(4))
    proof = hmac_md5(key, challenge + blob)
    return proof + blob, hmac_md5(key, proof)


UNICODE = 0x00000001
REQUEST_TARGET = 0x00000004
SIGN = 0x00000010
SEAL = 0x00000020
NTLM = 0x00000200
ANONYMOUS = 0x00000800
ALWAYS_SIGN = 0x00008000
ESS = 0x00080000
TARGET_INFO = 0x00800000
VERSION = 0x02000000
KEY_128 = 0x20000000
KEY_EXCH = 0x40000000
KEY_56 = 0x80000000

DEFAULT_FLAGS = (UNICODE | REQUEST_TARGET | SIGN | SEAL | NTLM | ALWAYS_SIGN |
                 ESS | KEY_128 | KEY_EXCH | KEY_56)


def key_bits(flags):
    """The strength that NTLMSSP flags stand for."""
    return 128 if flags & KEY_128 else 56 if flags & KEY_56 else 40


class Ntlmssp:
    """One NTLMSSP exchange of a client.  An empty user is anonymous."""

    def __init__(self, user, password, domain="", version=2,
                 flags=DEFAULT_FLAGS, workstation="CLIENT"):
        self.user = user
        self.password = password
        self.domain = domain
        self.version = version
        self.flags = flags
        self.workstation = workstation
        self.challenge_flags = None
        self.authenticate_flags = None
        self.session_key = None

    def negotiate(self):
        """Message 1."""
        return struct.pack("<8sIIHHIHHI", b"NTLMSSP\0", 1, self.flags,
                           0, 0, 32, 0, 0, 32)

    def _responses(self, challenge, target_info):
        """(LM response, NT response, key exchange key)"""
        if self.user == "" and self.password == "":
            return b"\0", b"", bytes(16)
        if self.version == 2:
            nt, key = ntlmv2_response(self.user, self.password, self.domain,
                                      challenge, target_info)
            return bytes(24), nt, key
        nthash = nt_hash(self.password)
        base = MD4.new(nthash).digest()
        if self.challenge_flags & ESS:
            mine = os.urandom(8)
            mixed = hashlib.md5(challenge + mine).digest()[:8]
            return (mine + bytes(16), response24(nthash, mixed),
                    hmac_md5(base, challenge + mine))
        return (response24(lm_hash(self.password), challenge),
                response24(nthash, challenge), base)

    def authenticate(self, message):
        """Message 3, in answer to the server's message 2."""
        if message[:8] != b"NTLMSSP\0" or len(message) < 48:
            raise Malformed("no NTLMSSP challenge")
        self.challenge_flags = struct.unpack_from("<I", message, 20)[0]
        challenge = message[24:32]
        length, offset = struct.unpack_from("<HxxI", message, 40)
        lm, nt, key = self._responses(challenge,
                                      message[offset:offset + length])
        flags = self.flags & (self.challenge_flags | ANONYMOUS)
        exchanged = b""
        self.session_key = key
        if flags & KEY_EXCH:
            self.session_key = os.urandom(16)
            exchanged = ARC4.new(key).encrypt(self.session_key)
        if self.user == "" and self.password == "":
            flags |= ANONYMOUS
        self.authenticate_flags = flags
        parts = [lm, nt] + [s.encode("utf-16-le") for s in
                            (self.domain, self.user, self.workstation)]
        parts.append(exchanged)
        head = struct.pack("<8sI", b"NTLMSSP\0", 3)
        body = b""
        for part in parts:
            head += struct.pack("<HHI", len(part), len(part),
                                64 + len(body))
            body += part
        return head + struct.pack("<I", flags) + body

    def report(self):
        """What was negotiated, in the words of the audit record."""
        flags = self.authenticate_flags
        return {
            "negotiateFlags": "0x%08x" % self.flags,
            "challengeFlags": None if self.challenge_flags is None
            else "0x%08x" % self.challenge_flags,
            "authenticateFlags": None if flags is None else "0x%08x" % flags,
            "keyBits": None if flags is None else key_bits(flags),
        }


# --- SPNEGO ------------------------------------------------------------------

OID_SPNEGO = bytes.fromhex("06062b0601050502")
OID_NTLMSSP = bytes.fromhex("060a2b06010401823702020a")


def der(tag, content):
    """One DER element."""
    size = len(content)
    if size < 0x80:
        length = bytes([size])
    else:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes([tag]) + length + content


def spnego_init(token):
    """A NegTokenInit that offers NTLMSSP alone."""
    mechs = der(0xA0, der(0x30, OID_NTLMSSP))
    inner = der(0x30, mechs + der(0xA2, der(0x04, token)))
    return der(0x60, OID_SPNEGO + der(0xA0, inner))


def spnego_answer(token):
    """A NegTokenResp with a token."""
    return der(0xA1, der(0x30, der(0xA2, der(0x04, token))))


def find_ntlmssp(blob):
    """The NTLMSSP message in a blob, raw or wrapped."""
    at = blob.find(b"NTLMSSP\0")
    if at < 0:
        raise Malformed("no NTLMSSP message in the server's token")
    return blob[at:]
