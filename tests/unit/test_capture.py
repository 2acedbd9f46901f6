"""Files given as captures: what is read, what is refused in one line, what is said of the rest."""

import gzip
import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sigfw import records
from sigfw.cli import explain
from sigfw.errors import UsageError
from sigfw.pipeline.capture import CHUNK, MAX_HEX_LINE, MAX_NOTES, in_unitdata, open_capture, unpack
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.unit import framebytes
from tests.unit.segments import segment, segments
from tests.unit.test_engine import INVOKE_ATI, begin, message, pcap

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "configs" / "policies" / "interconnect.yaml"
WHOLE = pcap(message(), message(), message())


def written(folder: Path, name: str, octets: bytes) -> Path:
    path = folder / name
    path.write_bytes(octets)
    return path


@pytest.mark.parametrize(
    ("name", "octets", "wrong"),
    [
        ("a.pcap", b"", "0 octets are no capture"),
        ("a.pcap", b"GIF89a, no capture", "no pcap or pcapng (it begins 47494638)"),
        ("a.pcap", WHOLE[:20] + (105).to_bytes(4, "little") + WHOLE[24:], "link type 105 is not read; known are"),
        ("a.pcap", WHOLE[:4] + b"\x03" + WHOLE[5:], "this version of pcap is not read"),
        ("a.pcap.gz", b"\x1f\x8b rest", "0 octets are no capture"),
        ("a.hex", b"sua\t0102\n", "label 'sua' is not read; known are sccp, tcap, m3ua"),
        ("a.hex", b"012\nxx\n", "not hex digits in pairs; a line is `hex` or `label<TAB>hex` (and 1 lines more)"),
    ],
)
def test_file_that_is_no_capture_is_refused_in_one_line(tmp_path: Path, name: str, octets: bytes, wrong: str) -> None:
    with pytest.raises(UsageError) as refused:
        open_capture(written(tmp_path, name, octets))
    assert wrong in str(refused.value)
    assert "\n" not in str(refused.value)


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a regular file"):
        open_capture(tmp_path)


def read(path: Path) -> tuple[int, list[str]]:
    capture = open_capture(path)
    lines = b"".join(records.judge_capture(capture, records.Worker(), records.Stream("x", offsets=False), None))
    return lines.count(b"\n"), capture.problems()


def test_cut_capture_yields_what_was_whole_and_says_where_it_ends(tmp_path: Path) -> None:
    packet = 16 + len(message())
    for cut in range(24, len(WHOLE)):
        count, problems = read(written(tmp_path, "a.pcap", WHOLE[:cut]))
        assert count == (cut - 24) // packet
        where = f"after frame {count}" if count else "before frame 1"
        at = 24 + count * packet
        expected = [] if cut == at else [f"a.pcap: {where}: framing truncated at octet {at} of {cut}"]
        assert problems == expected


def test_what_never_completes_gives_its_room_back_by_the_time_of_the_capture(tmp_path: Path) -> None:
    lost = [segment(b"x", 1, first=True, reference=n.to_bytes(3, "big")) for n in range(5000)]
    whole = segments([begin(INVOKE_ATI)[:9], begin(INVOKE_ATI)[9:]], reference=b"\xff\xff\xff")
    path = written(tmp_path, "a.pcap", pcap(*lost, *whole))
    decoded = list(records.decode(path))
    assert [one["error"] for one in decoded] == [None] * 5002
    assert decoded[-1]["tcap"]
    screened = list(records.screen(path, compile_policy(load(POLICY))))
    ended = [one["frame"] for one in screened if one["reason"] == "reassembly_timeout"]
    assert ended == [*range(1, 5001)]
    assert [one["frame"] for one in screened if one["reason"] != "reassembly_timeout"] == [*range(1, 5003)]
    (verdict, _, _), _ = explain.find(f"{path}#5002", compile_policy(load(POLICY)), "international")
    assert verdict in screened


def test_gzip_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    joined = gzip.compress(WHOLE[:100]) + gzip.compress(WHOLE[100:])
    assert read(written(tmp_path, "a.pcap.gz", joined)) == (3, [])
    stored = gzip.compress(WHOLE, compresslevel=0)
    count, problems = read(written(tmp_path, "b.pcap.gz", stored[:-28]))
    assert count == 2
    assert any("gzip data are cut short after" in problem for problem in problems)
    assert "broken" in read(written(tmp_path, "c.pcap.gz", stored[:-8] + b"\0" * 8))[1][0]


def test_packed_files_are_read_like_the_plain_ones(tmp_path: Path) -> None:
    pcapng = framebytes.section() + framebytes.interface(142) + framebytes.enhanced(message())
    for name, octets in (("a.pcap", WHOLE), ("a.pcapng", pcapng), ("a.hex", message().hex().encode() + b"\nxx\n")):
        plain, packed = (
            read(written(tmp_path, name + suffix, pack(octets)))
            for suffix, pack in (("", bytes), (".gz", gzip.compress))
        )
        assert plain[0] == packed[0] > 0
        assert [note.replace(".gz", "") for note in packed[1]] == plain[1]


def test_packed_file_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    """Deflate packs a thousand octets into one."""
    packed = io.BytesIO(gzip.compress(bytes(1 << 26)))
    unpacked = io.BytesIO()
    with pytest.raises(UsageError, match=r"takes more than half of what is free in .*; set TMPDIR"):
        unpack(tmp_path / "a.pcap.gz", packed, unpacked, 1 << 22)
    assert unpacked.tell() <= (1 << 22) + CHUNK


def test_hex_line_without_end_and_lines_without_number_are_told_in_few_words(tmp_path: Path) -> None:
    octets = message().hex().encode()
    path = written(tmp_path, "a.hex", octets + b"\n" + b"0" * (3 * MAX_HEX_LINE) + b"\n" + b"x\n" * 1000 + octets)
    count, problems = read(path)
    assert count == 2
    assert problems[0] == f"a.hex: line 2: more than {MAX_HEX_LINE} octets"
    assert len(problems) == MAX_NOTES + 1
    assert problems[-1] == "a.hex: 981 lines more could not be read"


def test_hex_lines_are_messages_by_their_line(tmp_path: Path) -> None:
    tcap = begin(b"")
    lines = f"# mine\n{message().hex()}\n\ntcap\t{tcap.hex()}\nsua\t00\n".encode()
    path = written(tmp_path, "a.hex", lines)
    assert [(m["frame"], m["encapsulation"], m["tcap"]["type"]) for m in records.decode(path)] == [
        (2, "sccp", "begin"),
        (4, "sccp", "begin"),
    ]
    assert open_capture(path).problems() == ["a.hex: line 5: label 'sua' is not read; known are sccp, tcap, m3ua"]


@pytest.mark.parametrize("octets", [255, 256, 3000])
def test_tcap_is_put_into_unitdata_whatever_its_length(tmp_path: Path, octets: int) -> None:
    path = written(tmp_path, "a.hex", in_unitdata(bytes(octets)).hex().encode())
    (found,) = records.decode(path)
    assert found["sccp"]["type"] == ("UDT" if octets <= 255 else "LUDT")
    assert found["error"] == {"layer": "tcap", "code": "bad_tag", "offset": 12 if octets <= 255 else 19}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=1, max_size=120) | st.integers(0, 100).map(lambda n: message()[: n + 1]))
def test_explain_of_any_octets_ends_with_the_verdict(octets: bytes) -> None:
    result = CliRunner().invoke(explain.command, [octets.hex(), "--policy", str(POLICY)])
    assert result.exit_code == 0, result.exception
    assert result.output.splitlines()[-1].split(":")[0] in ("allow", "hold", "redirect", "reject", "drop")


def test_explain_names_the_rule_that_decided() -> None:
    result = CliRunner().invoke(explain.command, [message().hex(), "--policy", str(POLICY)])
    assert "rules tried on component 0 as map:anyTimeInterrogation" in result.output
    assert result.output.splitlines()[-1].startswith("drop: rule locate-subscriber (cat1), perimeter international")


def test_screened_lines_are_those_of_decode_and_the_verdict(tmp_path: Path) -> None:
    path = written(tmp_path, "a.pcap", WHOLE)
    for decoded, judged in zip(records.decode(path), records.screen(path, compile_policy(load(POLICY))), strict=True):
        assert {key: judged[key] for key in decoded} == decoded
        assert judged["id"] == f"a.pcap/{decoded['frame']}/0"
