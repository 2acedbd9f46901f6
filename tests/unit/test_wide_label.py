"""MTP3's routing label where point codes have 24 bits: seven octets, by the variant of the topic or of the command."""

import json
from pathlib import Path
from typing import Any

import pytest

from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw.pipeline.replay import read_messages, record
from tests.unit.sccpbytes import ANSI, CHINA, ITU, address, mtp3, pcap, unitdata
from tests.unit.test_cli import sigfw

BEGIN = bytes.fromhex("6206480400000001")


def decoded(record: bytes, variant: str, encapsulation: str) -> Any:
    (line,) = Worker().judge(None, Stream("t"), Batch([record], encapsulation), variant=variant).lines().splitlines()
    return json.loads(line)


@pytest.mark.parametrize("variant", [ANSI, CHINA])
def test_mtp3_label_has_seven_octets_where_the_topic_says_so(variant: str) -> None:
    sls = 0xF7 if variant == ANSI else 0x07  # China: four bits of it
    message = mtp3(
        variant, unitdata(address(variant, ssn=6), address(variant, ssn=6), BEGIN), opc=0x010203, dpc=0x05AD01, sls=0xF7
    )
    line = decoded(message, variant, "mtp3")
    assert (line["opc"], line["dpc"], line["sls"], line["ni"], line["error"]) == (0x010203, 0x05AD01, sls, 2, None)
    for n in range(8):
        line = decoded(message[:n], variant, "mtp3")
        assert (line["error"]["code"], line["opc"]) == ("truncated", None)


@pytest.mark.parametrize("variant", [ITU, ANSI, CHINA])
@pytest.mark.parametrize("encapsulation", ["mtp3", "m3ua", "pcap"])
def test_capture_is_replayed_in_the_dialect_of_its_topic(variant: str, encapsulation: str, tmp_path: Path) -> None:
    sent = unitdata(address(variant, ssn=6), address(variant, ssn=8), BEGIN)
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(141, [mtp3(variant, sent, opc=0x0203, dpc=0x2D01, sls=5)]))
    messages, left_out = read_messages(path, variant)
    value, _ = record(messages, encapsulation)
    line = decoded(value, variant, encapsulation)
    assert left_out == []
    assert (line["opc"], line["dpc"], line["sls"], line["error"]) == (0x0203, 0x2D01, 5, None)
    assert (line["sccp"]["called"]["ssn"], line["sccp"]["calling"]["ssn"]) == (6, 8)


def test_commands_on_files_take_a_variant(tmp_path: Path) -> None:
    hlr = address(ANSI, ssn=6, pc=0x05AD01)
    message = unitdata(hlr, hlr, bytes.fromhex("e213c70400000001e80be909cf0101d1020935f200"))
    capture, policy = tmp_path / "a.pcap", tmp_path / "p.yaml"
    capture.write_bytes(pcap(141, [mtp3(ANSI, message, opc=0x010203)]))
    policy.write_text("schema: 1\nname: p\nrules: [{id: node, when: {calling.pc: 371969}, action: drop}]\n")
    seen = sigfw("decode", str(capture), "--format", "jsonl", "--variant", "ansi")
    assert json.loads(seen.stdout)["opc"] == 0x010203
    screened = sigfw("screen", str(capture), "--format", "jsonl", "--variant", "ansi", "--policy", str(policy))
    assert json.loads(screened.stdout)["rule"] == "node"
    explained = sigfw("explain", message.hex(), "--variant", "ansi", "--policy", str(policy))
    assert explained.returncode == 0
    assert "371969" in explained.stdout
    config = tmp_path / "c.yaml"
    config.write_text(
        f"schema: 1\npolicy: {policy}\nmode: {{international: enforce}}\nidentities: {{pseudonymise: false}}\n"
        f"source: {{capture: {{path: {capture}, variant: ansi}}}}\n"
        f"sink: {{files: {{verdicts: {tmp_path}/v.jsonl, events: {tmp_path}/e.jsonl}}}}\n"
    )
    assert sigfw("run", "--config", str(config)).returncode == 0
    assert json.loads((tmp_path / "v.jsonl").read_text())["rule"] == "node"
    refused = sigfw("decode", str(capture), "--variant", "ttc")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "'ttc' is not one of 'itu', 'ansi', 'china'" in refused.stderr
