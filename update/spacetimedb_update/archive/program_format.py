"""For which machine a program file was built, read from its first bytes: ELF, Mach-O and PE."""

from __future__ import annotations

import struct

HEAD_BYTES = 4096

_ELF_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64", 0x03: "i686", 0x28: "arm"}
_MACHO_MACHINES = {0x01000007: "x86_64", 0x0100000C: "aarch64"}
_PE_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64", 0x014C: "i686"}


def built_for(head: bytes) -> str | None:
    """`linux`, `apple` or `windows` with the processor, as in `x86_64-linux`; None for anything else.

    `head` is the beginning of the file. Scripts and unknown formats are None.
    """
    if head.startswith(b"\x7fELF") and len(head) >= 20:
        order = ">" if head[5] == 2 else "<"
        machine = struct.unpack_from(f"{order}H", head, 18)[0]
        return f"{_ELF_MACHINES.get(machine, 'unknown')}-linux"
    if head.startswith(b"\xcf\xfa\xed\xfe") and len(head) >= 8:
        return f"{_MACHO_MACHINES.get(struct.unpack_from('<I', head, 4)[0], 'unknown')}-apple"
    if head.startswith(b"MZ") and len(head) >= 64:
        at = struct.unpack_from("<I", head, 60)[0]
        if head[at : at + 4] == b"PE\0\0" and len(head) >= at + 6:
            return f"{_PE_MACHINES.get(struct.unpack_from('<H', head, at + 4)[0], 'unknown')}-windows"
    return None


def suits(head: bytes, target: str) -> bool:
    """Can a program that begins so be one for `target`? What cannot be told is taken on trust."""
    found = built_for(head)
    if found is None:
        return True
    processor, _, system = found.partition("-")
    return target.startswith(f"{processor}-") and f"-{system}" in target
