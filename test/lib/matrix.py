# SPDX-License-Identifier: GPL-3.0-or-later
#
# The matrix of KB916846 and a client that plays its rows on the wire.
# Invariant: the table is typed in from the article, the client follows
# CONTRACT.md section 3, and neither asks ntsign anything.

import smb1raw

STATES = ("required", "enabled", "disabled")

# columns: patched required, enabled, disabled, unpatched the same
MATRIX = {
    ("patched", "required"): "S S S S S X",
    ("patched", "enabled"): "S S N S S N",
    ("patched", "disabled"): "S N N S N N",
    ("unpatched", "required"): "S S X S S X",
    ("unpatched", "enabled"): "S S N S S N",
    ("unpatched", "disabled"): "X N N X N N",
}
OUTCOMES = {"S": "signed", "N": "not_signed", "X": "no_communication"}
ROWS = tuple("%s-%s" % row for row in MATRIX)
COLUMNS = tuple("%s-%s" % (kind, state) for kind in ("patched", "unpatched")
                for state in STATES)
SETUPS = ("nt4", "ntlmssp", "spnego")


def expected(row, column):
    """What the article says of a cell."""
    cells = MATRIX[tuple(row.split("-"))].split()
    return OUTCOMES[cells[COLUMNS.index(column)]]


def options(column):
    """The options that put a server into a column."""
    kind, state = column.split("-")
    lines = ["ntsign:signing rules = *=" + state]
    if kind == "unpatched":
        return ["ntsign:mode = emulate", "ntsign:server = unpatched"] + lines
    return ["ntsign:mode = enforce"] + lines


def flags2_of(row, mode):
    """Flags2 bits of a row after a NEGOTIATE answer with SecurityMode mode;
    None: it does not go on."""
    patched, state = row.split("-")
    offered, required = bool(mode & 0x04), bool(mode & 0x08)
    if state == "required":
        return 0x14 if offered or patched == "patched" else None
    if state == "enabled":
        return 0x04 if offered else 0
    return 0x04 if required and patched == "patched" else 0


def play_row(client, row, setup, user, password, share="share", **strings):
    """Plays a row on a connection: (outcome, how it came to it)."""
    client.negotiate(extended=setup != "nt4")
    bits = flags2_of(row, client.security_mode)
    if bits is None:
        return "no_communication", "the server does not offer signing"
    client.flags2 |= bits
    if setup == "nt4":
        info = client.setup_nt4(user, password, **strings)
    else:
        info = client.setup_extended(user, password,
                                     spnego=setup == "spnego", **strings)
    return judge(client, info, row.endswith("required"), bits, share)


def judge(client, info, required, bits, share="share"):
    """What a session setup that has been answered with INFO comes to:
    (outcome, how)."""
    if info["status"] != "NT_STATUS_OK":
        return "no_communication", info["status"]
    if required and not client.server_signed:
        return "no_communication", "the answer is not signed"
    try:
        tree = client.tree_connect(share)
        echo = client.echo()
    except smb1raw.Closed:
        return "no_communication", "cut off"
    if not tree.ok or not echo.ok:
        return "no_communication", "tree %x" % tree.status
    if client.signing:
        good = tree.signature == "good" and echo.signature == "good"
        return "signed" if good else "bad", tree.signature
    if bits and client.server_signed:
        return "bad", "the server signs alone"
    return "not_signed", None


STATE_OF = {0x00: "disabled", 0x04: "enabled", 0x10: "required",
            0x14: "required"}


def wire(bits, column):
    """What the article says of a column, by what Flags2 of the session
    setup says: a client that says nothing where it has to is one that does
    not sign, one that requires what was not offered is a patched one."""
    state = STATE_OF[bits & 0x14]
    return expected(("unpatched-" if state == "disabled" else "patched-") +
                    state, column)
