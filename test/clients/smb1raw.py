#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# An SMB1 client that does what it is told: any dialects and Flags2 bits,
# both kinds of session setup, signing right, wrong or not at all, several
# sessions on one connection.  As a module it is class Client; as a command
# it plays one session and prints what happened as one JSON object.
# Invariant: independent of Samba's own client code, so that the two can be
# held against each other.

import argparse
import hashlib
import json
import os
import struct
import sys

from Cryptodome.Hash import MD4

import smbwire
from smbwire import (Closed, Malformed, Ntlmssp, STATUS_SUCCESS,
                     STATUS_MORE_PROCESSING_REQUIRED, status_name)

NEGOTIATE = 0x72
SESSION_SETUP = 0x73
LOGOFF = 0x74
TREE_CONNECT = 0x75
TREE_DISCONNECT = 0x71
DELETE = 0x06
ECHO = 0x2B
NT_CANCEL = 0xA4
NT_CREATE = 0xA2
READ = 0x2E
WRITE = 0x2F
CLOSE = 0x04

LONG_NAMES = 0x0001
SIGNATURE_ENABLED = 0x0004
SIGNATURE_REQUIRED = 0x0010
EXTENDED_SECURITY = 0x0800
NT_STATUS = 0x4000
UNICODE = 0x8000

BASE_FLAGS2 = LONG_NAMES | NT_STATUS | UNICODE
BASE_CAPABILITIES = 0x00000004 | 0x00000010 | 0x00000040
CAP_EXTENDED_SECURITY = 0x80000000

HEADER = struct.Struct("<4sBIBHH8sHHHHH")


def utf16(text):
    """TEXT as it goes on the wire, ended; bytes go as they are."""
    if isinstance(text, bytes):
        return text
    return text.encode("utf-16-le", "surrogatepass") + b"\0\0"


def chain(parts):
    """What follows the header: requests, each (command, words, data).

    All but the last begin their words with an AndX block, which is filled
    in. Each begins at an even offset, so that its strings are aligned as
    they would be if it were alone.
    """
    out = b""
    parts = list(parts)
    for number, (_, words, data) in enumerate(parts):
        block = struct.pack("<B", len(words) // 2) + words
        block += struct.pack("<H", len(data) & 0xFFFF) + data
        if number + 1 < len(parts):
            block += bytes(len(block) % 2)
            at = 32 + len(out) + len(block)
            block = (block[:1] + struct.pack("<BBH", parts[number + 1][0], 0,
                                             at) + block[5:])
        out += block
    return out


class Reply:
    """One SMB1 response; signature is good, none, bad or skewed by N."""

    def __init__(self, raw):
        if len(raw) < 35 or raw[:4] != b"\xffSMB":
            raise Malformed("no SMB1 response: %s" % raw[:16].hex())
        self.raw = raw
        (_, self.command, self.status, self.flags, self.flags2, _,
         self.mac, _, self.tid, _, self.uid,
         self.mid) = HEADER.unpack_from(raw)
        count = raw[32]
        self.words = raw[33:33 + 2 * count]
        self.data_at = 35 + 2 * count
        size = struct.unpack_from("<H", raw, self.data_at - 2)[0]
        self.data = raw[self.data_at:self.data_at + size]
        self.signature = None

    @property
    def ok(self):
        """Whether the request was carried out."""
        return self.status == STATUS_SUCCESS


class Client:
    """One connection.

    sign says what the client does once a session's key is known:
      auto    as real clients do: sign where it offered signing and the
              server's answer to the session setup is signed, or where it
              requires signing
      yes no  whatever the server does
      bad     with a wrong key
      skew=N  with sequence numbers that are out by N
    """

    def __init__(self, host="127.0.0.1", port=445, source=None, timeout=15,
                 flags2=0, exact=False, sign="auto", pieces=1):
        self.transport = smbwire.Transport(host, port, source, timeout)
        self.host = host
        self.flags2 = flags2 if exact else BASE_FLAGS2 | flags2
        self.sign = sign
        self.pieces = pieces
        self.mac_key = None     # once a session's key is known
        self.signing = False    # whether requests are signed
        self.sequence = 0
        self.uid = 0
        self.tid = 0xFFFF
        self.mid = 0
        self.challenge = b""
        self.security_mode = None
        self.dialect = None
        self.extended = False
        self.server_signed = None
        self.sessions = []

    # -- frames and signatures

    def mac(self, frame, sequence, key=None):
        """The signature of FRAME."""
        marked = frame[:14] + struct.pack("<II", sequence, 0) + frame[22:]
        return hashlib.md5((key or self.mac_key) + marked).digest()[:8]

    def build(self, command, words=b"", data=b"", flags2=None, uid=None,
              tid=None, sign=None, signature=bytes(8), andx=(), mid=None,
              body=None):
        """(frame, sequence number) of a request; takes the numbers.

        andx: the requests chained to it, as chain() takes them; body: what
        follows the header, in place of all that.
        """
        self.mid = (self.mid + 1) & 0xFFFF if mid is None else mid
        frame = HEADER.pack(
            b"\xffSMB", command, 0, 0x18,
            self.flags2 if flags2 is None else flags2, 0, signature, 0,
            self.tid if tid is None else tid, os.getpid() & 0xFFFF,
            self.uid if uid is None else uid, self.mid)
        frame += (chain([(command, words, data), *andx]) if body is None
                  else body)
        sequence = self.sequence
        if self.mac_key is None:
            return frame, sequence
        self.sequence += 2
        how = sign or (self.sign if self.signing else "no")
        if how == "bad":
            wrong = bytes(b ^ 0x55 for b in self.mac_key)
            seal = self.mac(frame, sequence, wrong)
        elif how.startswith("skew="):
            seal = self.mac(frame, sequence + int(how[5:]))
        elif how == "no":
            return frame, sequence
        else:
            seal = self.mac(frame, sequence)
        return frame[:14] + seal + frame[22:], sequence

    def check(self, reply, sequence):
        """Says of a reply how it is signed."""
        if self.mac_key is None:
            return
        if reply.mac == self.mac(reply.raw, sequence):
            reply.signature = "good"
            return
        if reply.mac in (bytes(8), b"BSRSPYL "):
            reply.signature = "none"
            return
        reply.signature = "bad"
        for skew in range(-8, 9):
            if sequence + skew >= 0 and reply.mac == self.mac(
                    reply.raw, sequence + skew):
                reply.signature = "skewed by %d" % skew

    def send(self, frame):
        """One frame, in as many pieces as the client was told."""
        self.transport.send(frame, self.pieces)

    def receive(self, sequence=None):
        """The next reply; its signature is checked where one can be."""
        reply = Reply(self.transport.receive())
        if sequence is not None:
            self.check(reply, sequence + 1)
        return reply

    def request(self, *args, **kwargs):
        """Sends a request and returns the reply."""
        frame, sequence = self.build(*args, **kwargs)
        self.send(frame)
        return self.receive(sequence)

    # -- negotiation

    def negotiate(self, dialects=("NT LM 0.12",), extended=True, flags2=None):
        """NEGOTIATE; returns what the server said."""
        if flags2 is None:
            flags2 = self.flags2 & ~(SIGNATURE_ENABLED | SIGNATURE_REQUIRED)
            if extended:
                flags2 |= EXTENDED_SECURITY
        data = b"".join(b"\x02" + (d if isinstance(d, bytes)
                                   else d.encode("ascii")) + b"\0"
                        for d in dialects)
        reply = self.request(NEGOTIATE, b"", data, flags2=flags2)
        result = {"status": status_name(reply.status)}
        if len(reply.words) < 2:
            return result
        index = struct.unpack_from("<H", reply.words)[0]
        result["dialect"] = (None if index == 0xFFFF else str(dialects[index])
                             if index < len(dialects) else index)
        self.dialect = result["dialect"]
        if len(reply.words) < 34:
            return result
        self.security_mode = reply.words[2]
        capabilities = struct.unpack_from("<I", reply.words, 19)[0]
        self.extended = bool(capabilities & CAP_EXTENDED_SECURITY)
        if not self.extended:
            self.challenge = reply.data[:reply.words[33]]
        result.update({
            "securityMode": "0x%02x" % self.security_mode,
            "signing": "required" if self.security_mode & 8 else
                       "enabled" if self.security_mode & 4 else "disabled",
            "extendedSecurity": self.extended,
            "capabilities": "0x%08x" % capabilities,
        })
        return result

    # -- session setup

    def promise(self, flags2):
        """What clients put where the signature will be."""
        if self.mac_key is None and flags2 & SIGNATURE_ENABLED:
            return b"BSRSPYL "
        return bytes(8)

    def _strings(self, offset, *strings):
        """Strings, aligned to the header, from data OFFSET on."""
        return (b"\0" if offset % 2 else b"") + b"".join(
            utf16(s) for s in strings)

    def established(self, reply, key, flags2, info=None):
        """Notes a session and, with the first key, begins to sign."""
        info = {} if info is None else info
        action = (struct.unpack_from("<H", reply.words, 4)[0]
                  if reply.command == SESSION_SETUP and
                  len(reply.words) >= 6 else 0)
        info.update({"uid": reply.uid, "guest": bool(action & 1)})
        self.uid = reply.uid
        self.sessions.append(reply.uid)
        if self.mac_key is not None or key is None or action & 1:
            info["signature"] = reply.signature
            return
        self.mac_key = key
        self.check(reply, 1)
        info["signature"] = reply.signature
        self.server_signed = reply.signature == "good"
        wanted = flags2 & (SIGNATURE_ENABLED | SIGNATURE_REQUIRED)
        if self.sign == "auto":
            self.signing = bool(flags2 & SIGNATURE_REQUIRED) or (
                bool(wanted) and self.server_signed)
        else:
            self.signing = self.sign != "no"
        if not self.signing and not self.server_signed:
            self.mac_key = None
            return
        self.sequence = 2

    def nt4_request(self, user, password, domain="", response="ntlmv1",
                    native_os="Windows NT 1381",
                    native_lm="Windows NT 4.0", lm=None, nt=None):
        """(words, data, MAC key or None) of a session setup without
        extended security, word count 13; see setup_nt4()."""
        key = None
        if lm is None and nt is None:
            lm, nt, key = self._nt4_responses(user, password, domain,
                                              response)
        else:
            lm, nt = lm or b"", nt or b""
        words = struct.pack("<BBHHHHIHHII", 0xFF, 0, 0, 0xFFFF, 2, 1, 0,
                            len(lm), len(nt), 0, BASE_CAPABILITIES)
        data = lm + nt
        data += self._strings(33 + 26 + 2 + len(data), user, domain,
                              native_os, native_lm)
        return words, data, None if key is None else key + (nt or lm)

    def setup_nt4(self, user, password, domain="", response="ntlmv1",
                  flags2=None, uid=0, signature=None, andx=(), **more):
        """Session setup without extended security, word count 13.

        response: ntlmv1, ntlmv2, lm, both (LM and NTLMv1) or empty; LM and
        NT given outright are sent as they are.
        """
        flags2 = self.flags2 if flags2 is None else flags2
        words, data, key = self.nt4_request(user, password, domain, response,
                                            **more)
        reply = self.request(
            SESSION_SETUP, words, data, flags2=flags2, uid=uid, andx=andx,
            signature=self.promise(flags2) if signature is None
            else signature)
        info = {"setup": "nt4", "status": status_name(reply.status),
                "account": user}
        if reply.ok:
            self.established(reply, key, flags2, info)
            if andx and reply.tid:
                self.tid = reply.tid
        return info

    def _nt4_responses(self, user, password, domain, response):
        """(LM response, NT response, session key)"""
        if response == "empty" or (user == "" and password == ""):
            return b"\0", b"", None
        nthash = smbwire.nt_hash(password)
        lmhash = smbwire.lm_hash(password)
        lm24 = smbwire.response24(lmhash, self.challenge)
        if response == "lm":
            return lm24, b"", lmhash[:8] + bytes(8)
        if response == "ntlmv2":
            nt, key = smbwire.ntlmv2_response(
                user, password, domain, self.challenge,
                struct.pack("<HH", 0, 0))
            return b"", nt, key
        nt24 = smbwire.response24(nthash, self.challenge)
        return (lm24 if response == "both" else b"", nt24,
                MD4.new(nthash).digest())

    def leg_request(self, blob, native_os="Windows 5.1",
                    native_lm="Windows 2000 LAN Manager"):
        """(words, data) of one leg with extended security, word count 12."""
        words = struct.pack("<BBHHHHIHII", 0xFF, 0, 0, 0xFFFF, 2, 1, 0,
                            len(blob), 0,
                            BASE_CAPABILITIES | CAP_EXTENDED_SECURITY)
        return words, blob + self._strings(33 + 24 + 2 + len(blob),
                                           native_os, native_lm)

    def setup_leg(self, blob, flags2=None, uid=None, signature=None,
                  andx=(), padding=0, **strings):
        """One leg with extended security: (reply, blob)."""
        flags2 = self.flags2 if flags2 is None else flags2
        flags2 |= EXTENDED_SECURITY
        words, data = self.leg_request(blob, **strings)
        reply = self.request(
            SESSION_SETUP, words, data + bytes(padding), flags2=flags2,
            uid=uid, andx=andx,
            signature=self.promise(flags2) if signature is None
            else signature)
        answer = b""
        if len(reply.words) >= 8:
            length = struct.unpack_from("<H", reply.words, 6)[0]
            answer = reply.data[:length]
        return reply, answer

    def setup_extended(self, user, password, domain="", spnego=False,
                       version=2, ntlm_flags=smbwire.DEFAULT_FLAGS,
                       flags2=None, uid=0, between=None, legs=2,
                       first_flags2=None, signature=None, padding=0,
                       andx=(), **strings):
        """Session setup with extended security, by NTLMSSP.

        between is called after the first leg; with legs=1 the second is
        never sent. first_flags2: another Flags2 in the first leg.
        padding: that many bytes at the end of the last leg, as NTLMSSP's
        messages have 2888 bytes at most from 4.22 on. andx: what is chained
        to the second leg.
        """
        flags2 = self.flags2 if flags2 is None else flags2
        ntlm = Ntlmssp(user, password, domain, version, ntlm_flags)
        info = {"setup": "spnego" if spnego else "ntlmssp", "account": user}
        token = ntlm.negotiate()
        reply, blob = self.setup_leg(
            smbwire.spnego_init(token) if spnego else token,
            flags2 if first_flags2 is None else first_flags2, uid,
            signature, **strings)
        info["firstStatus"] = info["status"] = status_name(reply.status)
        if reply.status == STATUS_MORE_PROCESSING_REQUIRED:
            if between is not None:
                between()
            if legs > 1:
                token = ntlm.authenticate(smbwire.find_ntlmssp(blob))
                reply, blob = self.setup_leg(
                    smbwire.spnego_answer(token) if spnego else token,
                    flags2, reply.uid, signature, andx, padding, **strings)
                info["status"] = status_name(reply.status)
        info["ntlmssp"] = ntlm.report()
        if reply.ok:
            anonymous = user == "" and password == ""
            self.established(reply, None if anonymous else ntlm.session_key,
                             flags2, info)
            if andx and reply.tid:
                self.tid = reply.tid
        return info

    # -- the rest

    def logoff(self):
        """Ends the current session."""
        return self.request(LOGOFF, struct.pack("<BBH", 0xFF, 0, 0))

    def tree_request(self, share, service="?????"):
        """(words, data) of a tree connect."""
        words = struct.pack("<BBHHH", 0xFF, 0, 0, 0, 1)
        path = share if share.startswith("\\\\") else "\\\\%s\\%s" % (
            self.host, share)
        data = b"\0" + self._strings(33 + 8 + 2 + 1, path)
        return words, data + service.encode("ascii") + b"\0"

    def tree_connect(self, share, service="?????", **kwargs):
        """Connects to a share and uses it from then on."""
        words, data = self.tree_request(share, service)
        reply = self.request(TREE_CONNECT, words, data, **kwargs)
        if reply.ok:
            self.tid = reply.tid
        return reply

    def tree_disconnect(self):
        """Leaves the share."""
        return self.request(TREE_DISCONNECT)

    def echo(self, data=b"ntsign", **kwargs):
        """Asks the server to say DATA again."""
        return self.request(ECHO, struct.pack("<H", 1), data, **kwargs)

    def create(self, name, access=0x0012019F, disposition=3, **kwargs):
        """Opens a file or pipe; returns (reply, file id)."""
        text = utf16(name)
        words = struct.pack("<BBHBHIIIQIIIIIB", 0xFF, 0, 0, 0,
                            len(text) - 2, 0, 0, access, 0, 0x80, 7,
                            disposition, 0, 2, 0)
        pad = self._strings(33 + 48 + 2)
        reply = self.request(NT_CREATE, words, pad + text, **kwargs)
        fid = (struct.unpack_from("<H", reply.words, 5)[0]
               if reply.ok and len(reply.words) > 7 else None)
        return reply, fid

    def write_request(self, fid, data, offset=0):
        """(words, data) of a write."""
        at = 32 + 1 + 28 + 2 + 1
        words = struct.pack("<BBHHIIHHHHHI", 0xFF, 0, 0, fid, offset, 0, 0,
                            len(data), 0, len(data), at, 0)
        return words, b"\0" + data

    def write(self, fid, data, offset=0, **kwargs):
        """Writes DATA."""
        words, data = self.write_request(fid, data, offset)
        return self.request(WRITE, words, data, **kwargs)

    def read(self, fid, size=4096, offset=0):
        """Reads; returns (reply, data)."""
        words = struct.pack("<BBHHIHHIHI", 0xFF, 0, 0, fid, offset, size,
                            size, 0, 0, 0)
        reply = self.request(READ, words)
        if not reply.ok or len(reply.words) < 14:
            return reply, b""
        length, at = struct.unpack_from("<HH", reply.words, 10)
        return reply, reply.raw[at:at + length]

    def delete(self, name, **kwargs):
        """Deletes a file."""
        return self.request(DELETE, struct.pack("<H", 0x06),
                            b"\x04" + utf16(name), **kwargs)

    def close_file(self, fid, **kwargs):
        """Closes a file."""
        return self.request(CLOSE, struct.pack("<HI", fid, 0xFFFFFFFF),
                            **kwargs)

    def close(self):
        """Ends the connection."""
        self.transport.close()


# --- the command -------------------------------------------------------------

def number(text):
    """A number in decimal or, after 0x, in hexadecimal."""
    return int(text, 0)


def sign_mode(text):
    """A value of --sign."""
    if text in ("auto", "yes", "no", "bad"):
        return text
    if text.startswith("skew="):
        int(text[5:])
        return text
    raise ValueError(text)


def arguments():
    """The command line."""
    p = argparse.ArgumentParser(
        description="Plays an SMB1 client and prints what happened as JSON.",
        epilog="The password can come from the environment's PASSWD.  "
        "Exit status: 0 played, 2 bad usage, 3 no connection.")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=445)
    p.add_argument("--source", help="address to connect from")
    p.add_argument("--timeout", type=float, default=15)
    p.add_argument("--user", default="", help="none: anonymous")
    p.add_argument("--password", default=os.environ.get("PASSWD", ""))
    p.add_argument("--domain", default="")
    p.add_argument("--share", default="share")
    p.add_argument("--setup", default="spnego",
                   choices=("nt4", "ntlmssp", "spnego", "none"))
    p.add_argument("--response", default="ntlmv1",
                   choices=("ntlmv1", "ntlmv2", "lm", "both", "empty"),
                   help="with nt4")
    p.add_argument("--ntlm-version", type=int, choices=(1, 2), default=2)
    p.add_argument("--ntlm-flags", type=number,
                   default=smbwire.DEFAULT_FLAGS)
    p.add_argument("--flags2", type=number, default=0,
                   help="bits to add: 0x4 signing enabled, 0x10 required")
    p.add_argument("--flags2-exact", type=number,
                   help="the bits of every request")
    p.add_argument("--negotiate-flags2", type=number,
                   help="all of NEGOTIATE's bits")
    p.add_argument("--dialect", action="append",
                   help="may be repeated (default: NT LM 0.12)")
    p.add_argument("--native-os")
    p.add_argument("--native-os-hex", help="bytes as they go on the wire")
    p.add_argument("--native-lm")
    p.add_argument("--sign", type=sign_mode, default="auto",
                   help="auto, yes, no, bad or skew=N")
    p.add_argument("--sessions", type=int, default=1,
                   help="that many session setups on the connection")
    p.add_argument("--legs", type=int, choices=(1, 2), default=2,
                   help="1: leave the session setup unfinished")
    p.add_argument("--echo-between", action="store_true",
                   help="an echo between the legs of the session setup")
    p.add_argument("--pieces", type=int, default=1,
                   help="send each frame in that many segments")
    p.add_argument("--do", default="tree,echo",
                   help="afterwards, of: tree, echo, file, sign=MODE, "
                   "logoff, untree (default: %(default)s)")
    p.add_argument("--raw", action="append", metavar="HEX",
                   help="first send these bytes, without a length added")
    p.add_argument("--only-connect", action="store_true",
                   help="connect, send --raw if given, and close")
    return p.parse_args()


def step(client, name, share):
    """Plays one word of --do."""
    if name == "tree":
        reply = client.tree_connect(share)
    elif name == "echo":
        reply = client.echo()
    elif name == "logoff":
        reply = client.logoff()
    elif name == "untree":
        reply = client.tree_disconnect()
    elif name == "file":
        reply, fid = client.create("smb1raw.txt")
        if fid is not None:
            reply = client.write(fid, b"signed or not")
            reply, data = client.read(fid)
            client.close_file(fid)
            return {"status": status_name(reply.status),
                    "read": data.decode("latin-1"),
                    "signature": reply.signature}
    elif name.startswith("sign="):
        client.sign = sign_mode(name[5:])
        client.signing = client.sign != "no"
        return {}
    else:
        raise ValueError("--do: '%s' is unknown" % name)
    return {"status": status_name(reply.status),
            "signature": reply.signature}


def play(client, args, result):
    """Plays the session; what happened goes into RESULT as it happens."""
    if args.raw:
        for text in args.raw:
            client.transport.send_bytes(bytes.fromhex(text), args.pieces)
    if args.only_connect:
        if args.raw:
            result["closedByServer"] = client.transport.closed_by_server()
        return
    result["negotiate"] = client.negotiate(
        args.dialect or ["NT LM 0.12"], args.setup != "nt4",
        args.negotiate_flags2)
    strings = {}
    if args.native_os is not None:
        strings["native_os"] = args.native_os
    if args.native_os_hex is not None:
        strings["native_os"] = bytes.fromhex(args.native_os_hex)
    if args.native_lm is not None:
        strings["native_lm"] = args.native_lm
    if args.setup == "none" or client.security_mode is None:
        return
    result["sessions"] = []

    def between():
        reply = client.echo()
        result["echoBetween"] = {"status": status_name(reply.status),
                                 "signature": reply.signature}

    for _ in range(args.sessions):
        if args.setup == "nt4":
            info = client.setup_nt4(args.user, args.password, args.domain,
                                    args.response, **strings)
        else:
            info = client.setup_extended(
                args.user, args.password, args.domain,
                args.setup == "spnego", args.ntlm_version, args.ntlm_flags,
                between=between if args.echo_between else None,
                legs=args.legs, **strings)
        result["sessions"].append(info)
    result["serverSigned"] = client.server_signed
    result["clientSigns"] = client.signing
    if result["sessions"][-1]["status"] != "NT_STATUS_OK":
        return
    result["steps"] = []
    for name in filter(None, args.do.split(",")):
        entry = {"do": name}
        result["steps"].append(entry)
        entry.update(step(client, name, args.share))


def main():
    """Runs the command; returns its exit status."""
    args = arguments()
    result = {"client": "smb1raw"}
    try:
        client = Client(args.host, args.port, args.source, args.timeout,
                        args.flags2 if args.flags2_exact is None
                        else args.flags2_exact,
                        args.flags2_exact is not None, args.sign,
                        args.pieces)
    except OSError as error:
        print("smb1raw.py: %s" % error, file=sys.stderr)
        return 3
    result["local"] = "%s:%d" % client.transport.local
    try:
        play(client, args, result)
    except Closed as error:
        result["closed"] = str(error)
    except TimeoutError:
        result["closed"] = "no answer"
    except Malformed as error:
        result["malformed"] = str(error)
    except ValueError as error:
        print("smb1raw.py: %s" % error, file=sys.stderr)
        return 2
    finally:
        client.close()
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
