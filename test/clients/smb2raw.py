#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# An SMB2 and SMB3 client that does what it is told: one dialect or several,
# any security mode in NEGOTIATE and in SESSION_SETUP, signing right, wrong
# or not at all, encryption, anonymous sessions, reauthentication.  As a
# module it is class Client; as a command it plays one session and prints
# what happened as one JSON object.
# Invariant: independent of Samba's own client code, so that the two can be
# held against each other.

import argparse
import hashlib
import hmac
import json
import os
import struct
import sys

from Cryptodome.Cipher import AES
from Cryptodome.Hash import CMAC

import smbwire
from smbwire import (Closed, Malformed, Ntlmssp, STATUS_SUCCESS,
                     STATUS_MORE_PROCESSING_REQUIRED, status_name)

NEGOTIATE = 0
SESSION_SETUP = 1
LOGOFF = 2
TREE_CONNECT = 3
TREE_DISCONNECT = 4
CREATE = 5
CLOSE = 6
READ = 8
WRITE = 9
ECHO = 13

FLAG_RESPONSE = 0x01
FLAG_SIGNED = 0x08

SIGNING_ENABLED = 1
SIGNING_REQUIRED = 2

SESSION_GUEST = 1
SESSION_NULL = 2
SESSION_ENCRYPT = 4

STATUS_PENDING = 0x00000103

DIALECTS = {"SMB2_02": 0x0202, "SMB2_10": 0x0210, "SMB3_00": 0x0300,
            "SMB3_02": 0x0302, "SMB3_11": 0x0311}
DIALECT_NAMES = {number: name for name, number in DIALECTS.items()}
CIPHERS = {"ccm": 1, "gcm": 2}

HEADER = struct.Struct("<4sHHIHHIIQIIQ16s")


def derive(key, label, context):
    """The key derivation of SMB3: SP800-108 in counter mode, 128 bits."""
    data = (struct.pack(">I", 1) + label + b"\0" + context +
            struct.pack(">I", 128))
    return hmac.new(key, data, hashlib.sha256).digest()[:16]


class Reply:
    """One SMB2 response; signature is good, none or bad."""

    def __init__(self, raw, encrypted=False):
        if len(raw) < 64 or raw[:4] != b"\xfeSMB":
            raise Malformed("no SMB2 response: %s" % raw[:16].hex())
        self.raw = raw
        (_, _, _, self.status, self.command, self.credits, self.flags, _,
         self.mid, _, self.tid, self.sid, self.mac) = HEADER.unpack_from(raw)
        self.body = raw[64:]
        self.encrypted = encrypted
        self.signature = None

    @property
    def ok(self):
        """Whether the request was carried out."""
        return self.status == STATUS_SUCCESS

    def buffer(self, at):
        """The buffer whose offset and length (both short) lie at AT."""
        offset, length = struct.unpack_from("<HH", self.body, at)
        return self.raw[offset:offset + length]


class Session:
    """A session's id and keys."""

    def __init__(self):
        self.sid = 0
        self.signing_key = None
        self.encryption_key = None
        self.decryption_key = None
        self.preauth = b""
        self.anonymous = False


class Client:
    """One connection.

    sign says how requests of an established session are signed:
      auto    as real clients do: where either side requires it, and tree
              connects of SMB 3.1.1 always
      yes no  whatever was negotiated
      bad     with a wrong key
    """

    def __init__(self, host="127.0.0.1", port=445, source=None, timeout=15,
                 sign="auto", encrypt=False, cipher="ccm", pieces=1):
        self.transport = smbwire.Transport(host, port, source, timeout)
        self.host = host
        self.sign = sign
        self.encrypt = encrypt
        self.cipher = CIPHERS[cipher]
        self.pieces = pieces
        self.mid = 0
        self.dialect = 0
        self.security_mode = SIGNING_ENABLED
        self.server_mode = 0
        self.preauth = bytes(64)
        self.session = None
        self.sessions = []
        self.tid = 0

    # -- frames, signatures, encryption

    def mac(self, key, frame):
        """The signature of FRAME."""
        cleared = frame[:48] + bytes(16) + frame[64:]
        if self.dialect < 0x0300:
            return hmac.new(key, cleared, hashlib.sha256).digest()[:16]
        return CMAC.new(key, cleared, ciphermod=AES).digest()

    def signs(self, command):
        """Whether the client, left alone, signs this request."""
        required = (self.security_mode | self.server_mode) & SIGNING_REQUIRED
        return bool(required) or (self.dialect == 0x0311 and
                                  command == TREE_CONNECT)

    def build(self, command, body, tid=None, sign=None, session=None,
              sid=None):
        """A request, signed as it is to be."""
        session = session or self.session
        frame = HEADER.pack(
            b"\xfeSMB", 64, 0 if self.dialect <= 0x0202 else 1, 0, command,
            32, 0, 0, self.mid, 0xFEFF, self.tid if tid is None else tid,
            sid if sid is not None else session.sid if session else 0,
            bytes(16)) + body
        self.mid += 1
        if session is None or session.signing_key is None:
            return frame
        how = sign or self.sign
        if how == "auto":
            how = "yes" if self.signs(command) else "no"
        if how == "no":
            return frame
        frame = (frame[:16] + struct.pack("<I", FLAG_SIGNED) + frame[20:])
        key = session.signing_key
        if how == "bad":
            key = bytes(b ^ 0x55 for b in key)
        return frame[:48] + self.mac(key, frame) + frame[64:]

    def seal(self, frame, session):
        """FRAME encrypted."""
        size = 12 if self.cipher == CIPHERS["gcm"] else 11
        nonce = os.urandom(size)
        head = struct.pack("<16sIHHQ", nonce.ljust(16, b"\0"), len(frame), 0,
                           1, session.sid)
        mode = AES.MODE_GCM if size == 12 else AES.MODE_CCM
        cipher = AES.new(session.encryption_key, mode, nonce)
        cipher.update(head)
        text, tag = cipher.encrypt_and_digest(frame)
        return b"\xfdSMB" + tag + head + text

    def unseal(self, raw, session):
        """The frame in an encrypted one."""
        size = 12 if self.cipher == CIPHERS["gcm"] else 11
        mode = AES.MODE_GCM if size == 12 else AES.MODE_CCM
        cipher = AES.new(session.decryption_key, mode, raw[20:20 + size])
        cipher.update(raw[20:52])
        try:
            return cipher.decrypt_and_verify(raw[52:], raw[4:20])
        except ValueError as error:
            raise Malformed("encryption: %s" % error) from None

    def send(self, frame, encrypt=None, session=None):
        """One frame, encrypted where it is to be."""
        session = session or self.session
        encrypt = self.encrypt if encrypt is None else encrypt
        if encrypt and session and session.encryption_key:
            frame = self.seal(frame, session)
        self.transport.send(frame, self.pieces)

    def receive(self, session=None):
        """The next final reply."""
        session = session or self.session
        while True:
            raw = self.transport.receive()
            encrypted = raw[:4] == b"\xfdSMB"
            if encrypted:
                raw = self.unseal(raw, session)
            reply = Reply(raw, encrypted)
            if reply.status != STATUS_PENDING:
                break
        if session and session.signing_key:
            self.check(reply, session)
        return reply

    def check(self, reply, session):
        """Says of a reply how it is signed."""
        if reply.encrypted:
            reply.signature = "encrypted"
        elif not reply.flags & FLAG_SIGNED:
            reply.signature = "none"
        elif self.mac(session.signing_key, reply.raw) == reply.mac:
            reply.signature = "good"
        else:
            reply.signature = "bad"

    def request(self, command, body, tid=None, sign=None, session=None,
                encrypt=None):
        """Sends a request and returns the reply."""
        self.send(self.build(command, body, tid, sign, session), encrypt,
                  session)
        return self.receive(session)

    # -- negotiation

    def _contexts(self):
        """The negotiate contexts of SMB 3.1.1."""
        salt = os.urandom(32)
        integrity = struct.pack("<HHH", 1, len(salt), 1) + salt
        ciphers = struct.pack("<HH", 1, self.cipher)
        out = b""
        for kind, data in ((1, integrity), (2, ciphers)):
            out += bytes(-len(out) % 8)
            out += struct.pack("<HHI", kind, len(data), 0) + data
        return out

    def negotiate_smb1(self, dialects=("NT LM 0.12", "SMB 2.002",
                                       "SMB 2.???")):
        """The SMB1 NEGOTIATE that old clients begin with."""
        data = b"".join(b"\x02" + d.encode("ascii") + b"\0" for d in dialects)
        frame = struct.pack("<4sBIBHH8sHHHHHBH", b"\xffSMB", 0x72, 0, 0x18,
                            0xC853, 0, bytes(8), 0, 0xFFFF, 0xFEFF, 0, 0, 0,
                            len(data)) + data
        self.transport.send(frame, self.pieces)
        self.mid = 1
        return self._negotiated(self.receive())

    def negotiate(self, dialects=("SMB3_11",), security_mode=SIGNING_ENABLED,
                  capabilities=None):
        """NEGOTIATE; returns what the server said."""
        numbers = [DIALECTS.get(d, d) for d in dialects]
        self.security_mode = security_mode
        if capabilities is None:
            capabilities = 0x44 if max(numbers) >= 0x0300 else 0
        contexts = b""
        start = bytes(8)
        pad = b""
        if 0x0311 in numbers:
            contexts = self._contexts()
            at = 64 + 36 + 2 * len(numbers)
            pad = bytes(-at % 8)
            start = struct.pack("<IHH", at + len(pad), 2, 0)
        body = struct.pack("<HHHHI16s", 36, len(numbers), security_mode, 0,
                           capabilities, os.urandom(16)) + start
        body += struct.pack("<%dH" % len(numbers), *numbers) + pad + contexts
        frame = self.build(NEGOTIATE, body, tid=0)
        self.transport.send(frame, self.pieces)
        return self._negotiated(self.receive(), frame)

    def _negotiated(self, reply, frame=None):
        result = {"status": status_name(reply.status)}
        if not reply.ok or len(reply.body) < 64:
            return result
        self.server_mode, self.dialect = struct.unpack_from("<HH",
                                                            reply.body, 2)
        if self.dialect == 0x0311 and frame is not None:
            for part in (frame, reply.raw):
                self.preauth = hashlib.sha512(self.preauth + part).digest()
        if self.dialect in (0x0300, 0x0302):
            self.cipher = CIPHERS["ccm"]
        capabilities = struct.unpack_from("<I", reply.body, 24)[0]
        result.update({
            "dialect": DIALECT_NAMES.get(self.dialect,
                                         "0x%04x" % self.dialect),
            "securityMode": "0x%02x" % self.server_mode,
            "signing": "required" if self.server_mode & SIGNING_REQUIRED
                       else "enabled",
            "capabilities": "0x%08x" % capabilities,
        })
        return result

    # -- session setup

    def _setup_leg(self, blob, mode, session, again):
        """One leg; signed only where a session is authenticated again."""
        body = struct.pack("<HBBIIHHQ", 25, 0, mode, 0, 0, 88, len(blob), 0)
        frame = self.build(SESSION_SETUP, body + blob, tid=0, session=session,
                           sign=None if again else "no")
        if not again:
            session.preauth = hashlib.sha512(session.preauth + frame).digest()
        self.send(frame, session=session)
        reply = self.receive(session)
        session.sid = reply.sid or session.sid
        if not again and reply.status == STATUS_MORE_PROCESSING_REQUIRED:
            session.preauth = hashlib.sha512(
                session.preauth + reply.raw).digest()
        return reply

    def _keys(self, session, key):
        """All keys of a session from the one that NTLM gave."""
        key = key[:16].ljust(16, b"\0")
        session.signing_key = key
        if self.dialect >= 0x0311:
            labels = (b"SMBSigningKey\0", b"SMBC2SCipherKey\0",
                      b"SMBS2CCipherKey\0")
            contexts = (session.preauth,) * 3
        elif self.dialect >= 0x0300:
            labels = (b"SMB2AESCMAC\0", b"SMB2AESCCM\0", b"SMB2AESCCM\0")
            contexts = (b"SmbSign\0", b"ServerIn \0", b"ServerOut\0")
        else:
            return
        (session.signing_key, session.encryption_key,
         session.decryption_key) = [derive(key, label, context) for
                                    label, context in zip(labels, contexts)]

    def setup(self, user, password, domain="", security_mode=None,
              spnego=True, version=2, ntlm_flags=smbwire.DEFAULT_FLAGS,
              again=None, legs=2):
        """Session setup by NTLMSSP.

        again is a session to authenticate anew; with legs=1 the second leg
        is never sent.
        """
        mode = self.security_mode if security_mode is None else security_mode
        self.security_mode = mode
        session = again or Session()
        if not again:
            session.preauth = self.preauth
        ntlm = Ntlmssp(user, password, domain, version, ntlm_flags)
        token = ntlm.negotiate()
        reply = self._setup_leg(smbwire.spnego_init(token) if spnego
                                else token, mode, session, again)
        info = {"setup": "spnego" if spnego else "ntlmssp", "account": user,
                "firstStatus": status_name(reply.status),
                "status": status_name(reply.status)}
        if again:
            info["reauthentication"] = True
        if reply.status == STATUS_MORE_PROCESSING_REQUIRED and legs > 1:
            token = ntlm.authenticate(
                smbwire.find_ntlmssp(reply.buffer(4)))
            reply = self._setup_leg(smbwire.spnego_answer(token) if spnego
                                    else token, mode, session, again)
            info["status"] = status_name(reply.status)
        info["ntlmssp"] = ntlm.report()
        if not reply.ok:
            return info
        flags = struct.unpack_from("<H", reply.body, 2)[0]
        info.update({"sessionId": "0x%x" % session.sid,
                     "guest": bool(flags & SESSION_GUEST),
                     "anonymous": bool(flags & SESSION_NULL),
                     "encrypt": bool(flags & SESSION_ENCRYPT)})
        if not again:
            self.sessions.append(session)
            if not flags & (SESSION_GUEST | SESSION_NULL):
                self._keys(session, ntlm.session_key)
                self.check(reply, session)
            if flags & SESSION_ENCRYPT:
                self.encrypt = True
        self.session = session
        info["signature"] = reply.signature
        return info

    # -- the rest

    def logoff(self):
        """Ends the current session."""
        return self.request(LOGOFF, struct.pack("<HH", 4, 0), tid=0)

    def tree_connect(self, share, **kwargs):
        """Connects to a share and uses it from then on."""
        path = share if share.startswith("\\\\") else "\\\\%s\\%s" % (
            self.host, share)
        name = path.encode("utf-16-le")
        body = struct.pack("<HHHH", 9, 0, 72, len(name)) + name
        reply = self.request(TREE_CONNECT, body, tid=0, **kwargs)
        if reply.ok:
            self.tid = reply.tid
        return reply

    def tree_disconnect(self):
        """Leaves the share."""
        return self.request(TREE_DISCONNECT, struct.pack("<HH", 4, 0))

    def echo(self, **kwargs):
        """Asks whether the server is there."""
        return self.request(ECHO, struct.pack("<HH", 4, 0), tid=0, **kwargs)

    def create(self, name, access=0x0012019F, disposition=3):
        """Opens a file or pipe; returns (reply, file id)."""
        text = name.encode("utf-16-le")
        body = struct.pack("<HBBIQQIIIIIHHII", 57, 0, 0, 2, 0, 0, access,
                           0x80, 7, disposition, 0, 120, len(text), 0, 0)
        reply = self.request(CREATE, body + (text or b"\0"))
        return reply, reply.body[64:80] if reply.ok else None

    def write(self, fid, data, offset=0):
        """Writes DATA."""
        body = struct.pack("<HHIQ16sIIHHI", 49, 112, len(data), offset, fid,
                           0, 0, 0, 0, 0)
        return self.request(WRITE, body + data)

    def read(self, fid, size=4096, offset=0):
        """Reads; returns (reply, data)."""
        body = struct.pack("<HBBIQ16sIIIHH", 49, 0, 0, size, offset, fid, 0,
                           0, 0, 0, 0)
        reply = self.request(READ, body + b"\0")
        if not reply.ok:
            return reply, b""
        offset, length = struct.unpack_from("<BxI", reply.body, 2)
        return reply, reply.raw[offset:offset + length]

    def close_file(self, fid):
        """Closes a file."""
        return self.request(CLOSE, struct.pack("<HHI16s", 24, 0, 0, fid))

    def close(self):
        """Ends the connection."""
        self.transport.close()


# --- the command -------------------------------------------------------------

def number(text):
    """A number in decimal or, after 0x, in hexadecimal."""
    return int(text, 0)


def arguments():
    """The command line."""
    p = argparse.ArgumentParser(
        description="Plays an SMB2 or SMB3 client and prints what happened "
        "as JSON.",
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
    p.add_argument("--dialect", action="append",
                   help="%s or a number; may be repeated (default: SMB3_11)"
                   % ", ".join(DIALECTS))
    p.add_argument("--smb1-first", action="store_true",
                   help="begin with an SMB1 NEGOTIATE")
    p.add_argument("--security-mode", type=number, default=SIGNING_ENABLED,
                   help="in NEGOTIATE: 1 enabled, 2 required")
    p.add_argument("--setup-mode", type=number,
                   help="in SESSION_SETUP (default: the same)")
    p.add_argument("--setup", default="spnego",
                   choices=("spnego", "ntlmssp", "none"))
    p.add_argument("--ntlm-version", type=int, choices=(1, 2), default=2)
    p.add_argument("--ntlm-flags", type=number,
                   default=smbwire.DEFAULT_FLAGS)
    p.add_argument("--sign", choices=("auto", "yes", "no", "bad"),
                   default="auto")
    p.add_argument("--encrypt", action="store_true")
    p.add_argument("--cipher", choices=tuple(CIPHERS), default="ccm",
                   help="offered with SMB3_11")
    p.add_argument("--sessions", type=int, default=1)
    p.add_argument("--legs", type=int, choices=(1, 2), default=2,
                   help="1: leave the session setup unfinished")
    p.add_argument("--pieces", type=int, default=1)
    p.add_argument("--do", default="tree,echo",
                   help="afterwards, of: tree, echo, file, reauth, "
                   "reauth-bad, sign=MODE, logoff, untree "
                   "(default: %(default)s)")
    return p.parse_args()


def step(client, name, args):
    """Plays one word of --do."""
    if name == "tree":
        reply = client.tree_connect(args.share)
    elif name == "echo":
        reply = client.echo()
    elif name == "logoff":
        reply = client.logoff()
    elif name == "untree":
        reply = client.tree_disconnect()
    elif name in ("reauth", "reauth-bad"):
        return client.setup(
            args.user, args.password + ("" if name == "reauth" else "x"),
            args.domain, args.setup_mode, args.setup == "spnego",
            args.ntlm_version, args.ntlm_flags, again=client.session)
    elif name == "file":
        reply, fid = client.create("smb2raw.txt")
        if fid is not None:
            client.write(fid, b"signed or not")
            reply, data = client.read(fid)
            client.close_file(fid)
            return {"status": status_name(reply.status),
                    "read": data.decode("latin-1"),
                    "signature": reply.signature}
    elif name in ("sign=auto", "sign=yes", "sign=no", "sign=bad"):
        client.sign = name[5:]
        return {}
    else:
        raise ValueError("--do: '%s' is unknown" % name)
    return {"status": status_name(reply.status),
            "signature": reply.signature}


def play(client, args, result):
    """Plays the session; what happened goes into RESULT as it happens."""
    dialects = [d if d in DIALECTS else int(d, 0)
                for d in args.dialect or ["SMB3_11"]]
    if args.smb1_first:
        result["smb1Negotiate"] = client.negotiate_smb1()
    if not args.smb1_first or client.dialect == 0x02FF:
        result["negotiate"] = client.negotiate(dialects, args.security_mode)
    else:
        result["negotiate"] = result["smb1Negotiate"]
    if args.setup == "none" or not client.dialect:
        return
    result["sessions"] = []
    for _ in range(args.sessions):
        result["sessions"].append(client.setup(
            args.user, args.password, args.domain, args.setup_mode,
            args.setup == "spnego", args.ntlm_version, args.ntlm_flags,
            legs=args.legs))
    if result["sessions"][-1]["status"] != "NT_STATUS_OK":
        return
    result["steps"] = []
    for name in filter(None, args.do.split(",")):
        entry = {"do": name}
        result["steps"].append(entry)
        entry.update(step(client, name, args))


def main():
    """Runs the command; returns its exit status."""
    args = arguments()
    result = {"client": "smb2raw"}
    try:
        client = Client(args.host, args.port, args.source, args.timeout,
                        args.sign, args.encrypt, args.cipher, args.pieces)
    except OSError as error:
        print("smb2raw.py: %s" % error, file=sys.stderr)
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
        print("smb2raw.py: %s" % error, file=sys.stderr)
        return 2
    finally:
        client.close()
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
