"""tshark -T fields on a capture of link type 142 (SCCP), both to files: processor time a frame."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.cases import capture_of
from bench.peers.programs import PeerError

FIELDS = (
    "sccp.message_type",
    "sccp.called.digits",
    "sccp.called.ssn",
    "sccp.calling.digits",
    "sccp.calling.ssn",
    "tcap.otid",
    "tcap.dtid",
    "tcap.application_context_name",
    "gsm_old.localValue",
    "camel.local",
    "e212.imsi",
    "e164.msisdn",
)
FEW = 1000  # frames whose time is start-up


def version() -> str:
    if shutil.which("tshark") is None:
        raise PeerError("tshark is not installed: apt install tshark")
    said = subprocess.run(["tshark", "--version"], check=True, capture_output=True, text=True).stdout
    return "tshark " + next(word for word in said.split() if word[0].isdigit())


def processor_ns(command: Sequence[str], out: Path) -> int:
    """Processor time of a command, user and system, its output in a file."""
    with out.open("wb") as to:
        process = subprocess.Popen(command, stdout=to, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise PeerError(f"{' '.join(command)} ended with status {process.returncode}")
    return round((used.ru_utime + used.ru_stime) * 1e9)


def command(capture: Path) -> list[str]:
    return ["tshark", "-n", "-r", str(capture), "-T", "fields", *(part for one in FIELDS for part in ("-e", one))]


class Tshark:
    def __init__(self, folder: Path, messages: Sequence[bytes]) -> None:
        self.many, self.few, self.out = folder / "many.pcap", folder / "few.pcap", folder / "fields.txt"
        self.frames = len(messages) - min(FEW, len(messages) // 2)
        self.many.write_bytes(capture_of(list(messages)))
        self.few.write_bytes(capture_of(list(messages[: len(messages) - self.frames])))

    def round(self) -> float:
        """Nanoseconds a frame: many frames less few."""
        many, few = (processor_ns(command(capture), self.out) for capture in (self.many, self.few))
        return (many - few) / self.frames
