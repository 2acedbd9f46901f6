# ruff: noqa: E501 - a row of the tables is a mistake and its message
"""Who owns which numbers: CSV, IR.21, MVNOs, sponsored IMSIs and ported numbers; what `policy check` finds in them."""

import datetime
import os
import random
import re
import tracemalloc
from pathlib import Path

import pytest

from bench.dialogues import LOCATION_UP, update
from bench.encode import Party, address, bcd, begin, invoke, map_context, request, tlv, udt
from sigfw.errors import ConfigError
from sigfw.policy.compiler import compile_policy
from sigfw.policy.ir21 import prefixes
from sigfw.policy.lint_data import lint_data
from sigfw.policy.loader import load
from sigfw.policy.model import Policy, Shared
from sigfw.policy.operators import OperatorBook
from sigfw.yamlfile import Mistakes, Node
from tests.state.story import Story

DAY = datetime.date(2026, 11, 24)
HEAD = """\
schema: 1
name: x
home: {country_code: "44", global_titles: ["4477009000"], imsi: ["99942"]}
exceptions: {default: allow}
"""
IR21 = (Path(__file__).parent / "ir21.xml").read_text()
OPEN = '<TADIGRAEXIR21><OrganisationInfo><CountryInitials>GBR</CountryInitials><NetworkList><Network>'  # fmt: skip
CLOSE = "</Network></NetworkList></OrganisationInfo></TADIGRAEXIR21>"


def read(folder: Path, text: str, **beside: str | bytes) -> Policy:
    """beside: other files, with `__` for the dot of their names."""
    (folder / "p.yaml").write_text(HEAD + text)
    for name, content in beside.items():
        (folder / name.replace("__", ".")).write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(folder / "p.yaml", today=DAY)


def mistakes(folder: Path, text: str, **beside: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(folder, text, **beside)
    return [line.replace(f"{folder}/", "") for line in raised.value.mistakes]


def findings(folder: Path, text: str, **beside: str | bytes) -> list[str]:
    return [line.replace(f"{folder}/", "") for line in lint_data(read(folder, text, **beside))]


# IR.21 ----------------------------------------------------------------------------------------------------------------

FILE = "operators: [{file: a.xml}]\n"


def test_ir21_gives_numbers_of_every_network_and_its_date(tmp_path: Path) -> None:
    policy = read(tmp_path, FILE, a__xml=IR21)
    of, mvno = policy.operators
    assert (of.tadig, of.country, of.shared) == ("GBRXX", "GB", ())
    assert of.global_titles == (
        "4477009001",
        "447700900298",
        "447700900299",
        "447700900300",
        "447700900301",
        "447700900801",
    )
    assert (of.imsi, of.e214) == (("00101",), ("4477009009",))
    assert of.msisdn == ("4477009005", "4477009006")
    assert (mvno.tadig, mvno.country, mvno.imsi, mvno.global_titles) == ("GBRYY", "GB", ("001012",), ())
    assert mvno.shared == (Shared(key="imsi", prefix="001012", also=("GBRXX",)),)  # whose range it names as its own
    assert policy.as_of == {f"{tmp_path}/a.xml:6": "2026-06-30"}
    assert findings(tmp_path, FILE, a__xml=IR21) == []
    assert compile_policy(policy).lookup("447700900912", "e214")["operator"] == "GBRXX"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_ir21_is_known_by_its_first_octets(tmp_path: Path, encoding: str) -> None:
    content = IR21.replace('encoding="UTF-8"', "").encode(encoding)
    assert len(read(tmp_path, "operators: [{file: partner}]\n", partner=content).operators) == 2


NETWORK = "<TADIGCode>GBRXX</TADIGCode>"
BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
RANGE = "<GT_NumberRanges><RangeData><NumberRange>{}</NumberRange></RangeData></GT_NumberRanges>"
E212 = "<CCITT_E212_NumberSeries><MCC>{}</MCC>\n<MNC>{}</MNC></CCITT_E212_NumberSeries>"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"<?xml version='1.0'?>\n{BOMB}<TADIGRAEXIR21/>",
         "2: declares a document type, which IR.21 has not; remove the <!DOCTYPE …>"),
        (f"{OUTSIDE}<TADIGRAEXIR21>&a;</TADIGRAEXIR21>",
         "1: declares a document type, which IR.21 has not; remove the <!DOCTYPE …>"),
        ("<TADIGRAEXIR21>&a;</TADIGRAEXIR21>", "1: is no XML here (undefined entity); check that the file is whole"),
        (f"{OPEN}\n{NETWORK}", "2: is no XML here (no element found); check that the file is whole"),
        ("<html><body/></html>", '1: begins with "html"; give a RAEX IR.21 file (TADIGRAEXIR21), or CSV'),
        ("<TADIGRAEXIR21>" + "<a>" * 100, "1: nests deeper than 64 elements; check that it is IR.21"),
        ("<TADIGRAEXIR21>\n<a b='" + "x" * 3_000_000, "2: has a tag or text of more than 1 MB; check that it is IR.21"),
        ("<TADIGRAEXIR21/>", "1: has no Network; give a RAEX IR.21 file, or CSV"),
        (f"{OPEN}{E212.format('001', '01')}{CLOSE}", "2: the Network that ends here has no TADIGCode; add it"),
        (OPEN + NETWORK + RANGE.format("<CC>44</CC>\n<NDC>77x</NDC>") + CLOSE,
         '2: global title "4477x" holds characters that are no digits; write digits only'),
        (OPEN + NETWORK + RANGE.format("<CC>44</CC>\n<SN_RangeStart>200</SN_RangeStart><SN_RangeStop>99</SN_RangeStop>") + CLOSE,
         '2: the range "200" to "99" is none: digits, as many in both, the lower first'),
        (OPEN + NETWORK + RANGE.format(f"<CC>{'4' * 1000}</CC>") + CLOSE, "1: global title \"4444"),
        (OPEN + NETWORK + E212.format("26", "1") + CLOSE, '2: imsi "261" has 3 digits; write MCC and MNC'),
        (OPEN + "<TADIGCode>a b</TADIGCode>" + E212.format("001", "01") + CLOSE, '1: tadig "a b" is not usable; write'),
        ("<TADIGRAEXIR21><FileCreationTimestamp>once</FileCreationTimestamp></TADIGRAEXIR21>",
         '1: FileCreationTimestamp "once" is no date; mend it'),
    ],
)  # fmt: skip
def test_bad_ir21_is_told_with_its_line(tmp_path: Path, content: str, told: str) -> None:
    assert mistakes(tmp_path, FILE, a__xml=content)[0].startswith(f"a.xml:{told}")


def test_every_bad_number_of_ir21_is_a_line(tmp_path: Path) -> None:
    ranges = "".join(RANGE.format(f"<CC>0{n}</CC>\n") for n in range(1, 4))
    told = mistakes(tmp_path, FILE, a__xml=OPEN + NETWORK + ranges + CLOSE)
    assert [line.split(" begins")[0] for line in told] == [f'a.xml:{n + 1}: global title "0{n}"' for n in range(1, 4)]


def test_damaged_ir21_gives_lines_and_no_fault(tmp_path: Path) -> None:
    random.seed(85)
    told = 0
    for _ in range(150):
        octets = bytearray(IR21.encode())
        for _ in range(random.randint(1, 4)):
            at, n = random.randrange(len(octets)), random.choice((1, 8, 300))
            octets[at : at + random.choice((0, n))] = random.choice(
                (b"", b"<", b"&", b"\x00", b"]]>", b"9" * n, octets[:n])
            )
        try:
            read(tmp_path, FILE, a__xml=bytes(octets))
        except ConfigError as error:
            told += 1
            assert all(re.match(r".*\.(xml|yaml):[0-9]+: \S", line) and line.isprintable() for line in error.mistakes)
    assert told > 50


def test_ir21_is_streamed(tmp_path: Path) -> None:
    """What is passed over costs no memory, wherever it stands."""
    filler = "<Unknown><CC>44</CC>some text</Unknown>\n" * 200_000
    content = (OPEN + NETWORK + filler + E212.format("001", "01") + CLOSE).encode()
    (tmp_path / "a.xml").write_bytes(content)
    book = OperatorBook(Mistakes(), {})
    tracemalloc.start()
    book.read(tmp_path / "a.xml", Node("scalar", "p.yaml", 1, "a.xml"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert book.operators()[0].imsi == ("00101",)
    assert peak < len(content) / 4


def test_prefixes_stand_for_a_range_and_nothing_else() -> None:
    random.seed(21)
    for digits in (1, 2, 3, 4):
        for _ in range(100):
            low, high = sorted(random.randrange(10**digits) for _ in range(2))
            found = prefixes(str(low).zfill(digits), str(high).zfill(digits))
            assert found is not None
            assert len(found) <= 18 * digits
            inside = [n for n in range(10**digits) if any(str(n).zfill(digits).startswith(one) for one in found)]
            assert inside == list(range(low, high + 1))
    assert prefixes("", "") == [""]
    assert prefixes("000", "999") == [""]
    assert prefixes("1", "22") is prefixes("2", "1") is prefixes("1x", "22") is prefixes("²", "³") is None


# Whose else they count as ---------------------------------------------------------------------------------------------

SPONSORED = """\
operators:
  - {tadig: DEUXX, country: DE, global_titles: ["49171"], imsi: ["00101"]}
  - {tadig: DEUYY, country: DE, global_titles: ["49151"], imsi: ["00102"]}
  - {tadig: DEUYY, imsi: ["001017"], also: [DEUXX]}
  - {tadig: DEUMV, country: DE, imsi: ["001018"], also: DEUXX}
  - {tadig: GBRMV, country: GB, imsi: ["999427"], also: home}
rules:
  - {id: stranger, when: {check: calling_operator_is_not_imsi_home}, action: drop}
"""


@pytest.mark.parametrize(
    ("calling", "imsi", "rule"),
    [
        ("4917111", "001011", None),
        ("4915111", "001021", None),
        ("4917111", "001021", "stranger"),
        ("4915111", "001011", "stranger"),
        ("4917111", "001017", None),  # DEUXX's, sponsored for subscribers of DEUYY: either may send
        ("4915111", "001017", None),
        ("4917111", "001018", None),  # an MVNO on the nodes of DEUXX
        ("4915111", "001018", "stranger"),
        ("447700900011", "999427", None),  # an MVNO on our own
        ("4917111", "999427", "stranger"),
        ("447700900011", "999421", None),
    ],
)
def test_imsi_may_come_from_whoever_it_counts_as(tmp_path: Path, calling: str, imsi: str, rule: str | None) -> None:
    story = Story(compile_policy(read(tmp_path, SPONSORED)))
    message = update(Party(calling, 7), b"1234", imsi + "000000000", to=Party("447700900001", 6))
    assert story.rule(message) == rule


NODES = """\
operators:
  - {tadig: DEUXX, country: DE, global_titles: ["49171"]}
  - {tadig: DEUMV, country: DE, global_titles: ["491719"], also: [DEUXX]}
  - {tadig: DEUYY, country: DE, global_titles: ["49151"]}
rules:
  - {id: forged, when: {check: calling_operator_is_not_map_node}, action: drop}
"""


@pytest.mark.parametrize(
    ("calling", "node", "rule"),
    [("4917111", "4917191", None), ("4917191", "4917111", None), ("4915111", "4917191", "forged")],
)
def test_global_titles_count_as_anothers_both_ways(tmp_path: Path, calling: str, node: str, rule: str | None) -> None:
    argument = tlv(0x30, tlv(4, bcd("999420000000001")), tlv(0x81, address(node)), tlv(4, address(node)))
    dialogue = begin(b"1234", request(map_context(*LOCATION_UP)), invoke(2, argument))
    message = udt(Party("447700900001", 6), Party(calling, 7), dialogue)
    assert Story(compile_policy(read(tmp_path, NODES))).rule(message) == rule


PORTED = """\
operators:
  - {tadig: DEUXX, country: DE, global_titles: ["49171"]}
  - {tadig: DEUYY, country: DE, global_titles: ["49151"], msisdn: ["4917139200", "49171"]}
"""


def test_ported_numbers_move_subscribers_and_no_nodes(tmp_path: Path) -> None:
    tables = compile_policy(read(tmp_path, PORTED))

    def owner(digits: str, space: str) -> str | None:
        found = tables.lookup(digits, space)
        return found and found["operator"]

    assert owner("491713920012", "msisdn") == owner("4917188", "msisdn") == "DEUYY"
    assert owner("491713920012", "e164") == owner("491713920012", "e214") == "DEUXX"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("operators: [{tadig: A, imsi: ['00101'], also: [B]}]\n", 'p.yaml:5: unknown operator "B" in also; known: A'),
        ("operators: [{tadig: A, imsi: ['00101'], also: [A]}]\n", "p.yaml:5: also names A itself; name the other operator"),
        ("operators: [{tadig: A, also: [[B]]}]\n", "p.yaml:5: also is a list; write a text"),
        ("operators: [{tadig: A, msisdn: ['0171']}]\n", 'p.yaml:5: msisdn "0171" begins with 0, as national numbers do'),
        ("operators: [{tadig: A, e214: ['49']}, {tadig: B, e214: ['49']}]\n",
         "p.yaml:5: the prefix 49 of B is A's already; give it to one of them"),
        ("operators: [{file: o.csv}]\n", "o.csv:2: unknown operator \"DEUX\" in also; did you mean DEUXX?"),
    ],
)  # fmt: skip
def test_bad_operator_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    rows = "tadig,country,global_title,imsi,also\nDEUYY,DE,49151,00102,DEUX\nDEUXX,DE,49171,00101,\n"
    assert mistakes(tmp_path, text, o__csv=rows)[0].startswith(told)


def test_csv_may_bring_more_columns_under_a_header(tmp_path: Path) -> None:
    rows = "tadig,imsi,also,msisdn,e214\nA,00101,,49170;49171,49179\nB,001017,A,,\n"
    a, b = read(tmp_path, "operators: [{file: o.csv}]\n", o__csv=rows).operators
    assert (a.imsi, a.msisdn, a.e214, a.shared) == (("00101",), ("49170", "49171"), ("49179",), ())
    assert (b.imsi, b.shared) == (("001017",), (Shared(key="imsi", prefix="001017", also=("A",)),))


def test_digest_counts_whose_else_numbers_are(tmp_path: Path) -> None:
    digests = {
        read(tmp_path, f"operators: [{{tadig: A, imsi: ['00101']}}, {{tadig: B, imsi: ['001017']{more}}}]\n").digest
        for more in ("", ", also: [A]", ", msisdn: ['49']", ", e214: ['49']")
    }
    assert len(digests) == 4
    declared = read(tmp_path, "operators: [{tadig: A, imsi: ['00101']}, {tadig: B, imsi: ['001017'], also: []}]\n")
    assert declared.digest in digests


# What `policy check` finds --------------------------------------------------------------------------------------------


def test_prefixes_inside_anothers_are_told_once_unless_said(tmp_path: Path) -> None:
    inside = (
        "operators:\n  - {tadig: A, imsi: ['00101'], global_titles: ['49171']}\n"
        "  - {tadig: B, imsi: ['001017'], global_titles: ['491717']SAID}\n"
    )
    assert findings(tmp_path, inside.replace("SAID", "")) == [
        "p.yaml:7: 2 prefixes lie inside another operator's, first 491717 of B in 49171 of A; the longer owns; if it is "
        "meant, write `also: [A]` where its subscribers use nodes of A, else `also: []`"
    ]
    assert findings(tmp_path, inside.replace("SAID", ", also: []")) == []
    assert findings(tmp_path, inside.replace("SAID", ", also: [A]")) == []


def test_prefix_inside_homes_is_told_and_homes_own_entry_is_not(tmp_path: Path) -> None:
    text = "operators: [{tadig: GBRXX, imsi: ['99942']}, {tadig: GBRMV, imsi: ['999427']SAID}]\n"
    (told,) = findings(tmp_path, text.replace("SAID", ""))
    assert told.startswith(
        "p.yaml:5: 1 prefix lies inside another operator's, first 999427 of GBRMV in 99942 of GBRXX;"
    )
    assert findings(tmp_path, text.replace("SAID", ", also: [GBRXX]")) == []
    assert findings(tmp_path, text.replace("SAID", ", also: [home]")) == []


def test_number_said_twice_counts_as_whoever_either_says(tmp_path: Path) -> None:
    once = (
        "{tadig: B, imsi: ['001017']}, {tadig: B, imsi: ['001017'], also: [A]}, {tadig: B, imsi: ['001017'], also: [C]}"
    )
    policy = read(tmp_path, f"operators: [{{tadig: A}}, {{tadig: C}}, {once}]\n")
    (b,) = [one for one in policy.operators if one.tadig == "B"]
    assert (b.imsi, b.shared) == (("001017",), (Shared(key="imsi", prefix="001017", also=("A", "C")),))


def test_file_that_is_a_folder_or_a_pipe_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "nothing"):
        (told,) = mistakes(tmp_path, f"operators: [{{file: {name}}}]\n")
        assert told.startswith(f"p.yaml:5: {name} ")


def test_files_of_last_year_are_old(tmp_path: Path) -> None:
    old = IR21.replace("2026-06-30T12:00:00+01:00", "20251101000000")
    rows = "# as of 2025-11-24\nA,DE,,00102\n"
    assert findings(tmp_path, "operators: [{file: a.xml}, {file: o.csv}]\n", a__xml=old, o__csv=rows) == [
        "a.xml:6: the file is as of 2025-11-01, more than 365 days old; get a newer one"
    ]
    leases = "# As of 2024-01-01: the regulator's\n44770090011\n"
    assert findings(tmp_path, "lists: {l: {kind: gt, file: l.csv}}\n", l__csv=leases) == [
        "l.csv:1: the file is as of 2024-01-01, more than 365 days old; get a newer one"
    ]


def test_country_that_contradicts_the_code_or_the_numbers_is_told(tmp_path: Path) -> None:
    text = "operators: [{tadig: DEUXX, country: GB, global_titles: ['44770', '49171', '49172']}]\n"
    assert findings(tmp_path, text) == [
        "p.yaml:5: operator DEUXX is of GB, its code begins as in DE; see which",
        "p.yaml:5: operator DEUXX of GB has 2 global titles under another country's code, first 49171 (DE); see that it is meant",
    ]  # fmt: skip


GUIDE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()


@pytest.mark.parametrize(
    ("imsi", "german", "french"), [("0010177", True, False), ("0010188", True, True), ("00102", False, True)]
)
def test_example_of_the_guide_does_what_is_said_below_it(tmp_path: Path, imsi: str, german: bool, french: bool) -> None:
    (block,) = [block for block in GUIDE.split("```yaml\n") if block.startswith("schema: 1\nname: operators\n")]
    (tmp_path / "p.yaml").write_text(block.partition("```")[0])
    story = Story(compile_policy(load(tmp_path / "p.yaml")))
    for calling, passes in (("491713920011", german), ("336399811", french)):
        message = update(Party(calling, 7), b"1234", imsi.ljust(15, "0"), to=Party("447700900001", 6))
        assert (story.tell(message)[0]["shadow"] is None) is passes
