# ruff: noqa: E501 - a row of the tables is a mistake and its message
"""What a tired engineer writes into a policy: every mistake told at once, with file and line, and what to do."""

import datetime
from pathlib import Path

import pytest

from sigfw import names, yamlfile
from sigfw.errors import ConfigError
from sigfw.policy import schema
from sigfw.policy.loader import load
from sigfw.policy.model import Entry, Policy

DAY = datetime.date(2026, 11, 24)
HEAD = "schema: 1\nname: x\n"
RULE = "rules:\n  - {{id: a, when: {when}, action: {action}{more}}}\n"


def rule(when: str = "{}", action: str = "drop", more: str = "") -> str:
    """A policy with one rule, on line 4."""
    return HEAD + RULE.format(when=when, action=action, more=more)


def read(folder: Path, text: str | bytes, **beside: str | bytes) -> Policy:
    """Load `text` as p.yaml; beside: other files, with `__` for the dot of their names."""
    for name, content in {"p__yaml": text, **beside}.items():
        content = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(content)
    return load(folder / "p.yaml", today=DAY)


def mistakes(folder: Path, text: str | bytes, **beside: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(folder, text, **beside)
    told = raised.value.mistakes
    assert all(line.isprintable() and len(line) < 1000 for line in told)
    return [line.replace(f"{folder}/", "") for line in told]


ONE = {
    # How YAML is written
    "tab": (HEAD + "rules:\n\t- id: a\n", "4: a tab indents this line; YAML wants spaces"),
    "open quote": (HEAD + 'home: {country_code: "44}\n\n\n', "3: is no YAML here (found unexpected end of stream); check"),
    "two colons": (HEAD + "home: a: b\n", "3: is no YAML here (mapping values are not allowed in this context); check"),
    "control character": (HEAD + "home: \x07\n", "3: holds a control character; remove it"),
    "tag": (HEAD + "home: !!python/object:os.system {}\n", '3: YAML tag "tag:yaml.org,2002:python/object:os.system" is'),
    "tag by mistake": (HEAD + "lists: {a: {kind: gt, entries: [!44]}}\n", "3: a ! without quotes begins a YAML tag; write"),
    "tag on its own": (HEAD + 'lists: {a: {kind: gt, entries: [!44 "44"]}}\n', '3: YAML tag "!44" is not read; remove it'),
    "alias of nothing": (HEAD + "home: *hme\n", '3: no anchor "hme" stands before its alias; write it, or the value'),
    "alias of itself": (HEAD + "home: &a [*a]\n", '3: no anchor "a" stands before its alias; write it'),
    "two documents": (HEAD + "---\nschema: 1\n", "3: a second document begins (---); write one a file"),
    "too deep": (HEAD + f"home: {'[' * 30}{']' * 30}\n", "3: nests deeper than 24 levels; check the brackets"),
    "10 MB of brackets": ("[" * 10_000_000, "1: nests deeper than 24 levels; check the brackets"),
    "10 MB in one key": (HEAD + "x" * 10_000_000 + ": 1\n", "3: is no YAML here (could not find expected ':'); check"),
    "empty": ("", "1: is empty; write at least `schema: 1`"),
    "only a comment": ("# later\n", "1: is empty; write at least `schema: 1`"),
    "a list": ("- a\n", "1: the file is a list; write keys and values, `schema: 1` first"),
    "binary": (b"\x7fELF\x02\x01\x00\x00", "1: is no UTF-8 text; write YAML, saved as UTF-8"),
    "Latin-1": (b"schema: 1\nname: \xe9\n", "2: is no UTF-8 text; write YAML, saved as UTF-8"),
    "UTF-16": (HEAD.encode("utf-16"), "1: is no UTF-8 text; write YAML, saved as UTF-8"),
    # Keys
    "no schema": ("name: x\n", "1: the policy has no `schema`; add `schema: 1`"),
    "another schema": ("schema: 2\nname: x\n", "1: schema 2 is not known to this version; write 1"),
    "no name": ("schema: 1\n", "1: the policy has no `name`; add `name: …`"),
    "unknown key": (HEAD + "rulez: []\n", '3: unknown key "rulez" in the policy; did you mean rules?'),
    "unknown key of home": (HEAD + "home: {gt: []}\n", '3: unknown key "gt" in `home`; known: country_code, e214,'),
    "duplicate key": (HEAD + "name: y\n", '3: "name" stands twice in the policy (first at p.yaml:2); remove one'),
    "a list for a key": (HEAD + "? [a, b]\n: c\n", "3: a key of the policy is a list; write a name"),
    "no value": (HEAD + "rules:\n", "3: `rules` has no value; write a list: [ … ]"),
    "wrong type": (HEAD + "home: []\n", "3: `home` is a list; write keys and values"),
    "one in place of a list": (HEAD + 'home: {imsi: "00101"}\n', "3: home.imsi is a single value; write a list: [ … ]"),
    # Numbers
    "00 before": (HEAD + 'home:\n  global_titles: [0044]\n', '4: home.global_titles "0044" begins with the prefix 00; write 44'),
    "0 before": (HEAD + "home: {e214: [077]}\n", '3: home.e214 "077" begins with 0, as national numbers do; write the'),
    "plus": (HEAD + 'home: {global_titles: ["+44"]}\n', '3: home.global_titles "+44" holds characters that are no digits; write 44'),
    "spaces": (HEAD + 'home: {msisdn: ["44 77"]}\n', '3: home.msisdn "44 77" holds characters that are no digits; write 4477'),
    "letters": (HEAD + "home: {hosted_abroad: [44x]}\n", '3: home.hosted_abroad "44x" holds characters that are no digits; write digits only'),
    "digits of another script": (HEAD + "home: {msisdn: [٤٤]}\n", '3: home.msisdn "٤٤" holds characters that are no digits; write digits only'),
    "17 digits": (HEAD + f"home: {{e214: ['{'4' * 17}']}}\n", f'3: home.e214 "{"4" * 17}" has 17 digits; write 16 at most'),
    "MCC alone": (HEAD + 'home: {imsi: ["234"]}\n', '3: home.imsi "234" has 3 digits; write MCC and MNC, 5 digits at least'),
    "long country code": (HEAD + 'home: {country_code: "4477"}\n', '3: country_code "4477" has 4 digits; write 1 to 3'),
    "point code": (HEAD + "home: {point_codes: [2-1-7]}\n", '3: home.point_codes "2-1-7" is not usable; write a number from 0 to 16777215'),
    # Operators, lists, links, exceptions
    "no TADIG": (HEAD + "operators: [{country: DE}]\n", "3: an operator has no `tadig`; add it, or name a `file`"),
    "country": (HEAD + "operators: [{tadig: GBRXX, country: UK}]\n", "3: country UK is no code of ISO 3166; write GB"),
    "country name": (HEAD + "operators: [{tadig: X, country: Germany}]\n", '3: country "Germany" is not usable; write two capital'),
    "two owners": (
        HEAD + 'operators:\n  - {tadig: A, global_titles: ["49"]}\n  - {tadig: B, global_titles: ["49"]}\n',
        "5: the prefix 49 of B is A's already; give it to one of them",
    ),
    "list without kind": (HEAD + "lists: {a: {entries: []}}\n", "3: list `a` has no `kind`; add it"),
    "list of nothing": (HEAD + "lists: {a: {kind: gt}}\n", "3: list `a` has neither `entries` nor `file`; add one"),
    "list kind": (HEAD + "lists: {a: {kind: gts, entries: []}}\n", '3: kind "gts" is unknown; did you mean gt?'),
    "list home": (HEAD + "lists: {home: {kind: gt, entries: []}}\n", "3: the list `home` is made of `home`; choose another name"),
    "list of a number": (HEAD + 'lists: {"44": {kind: gt, entries: []}}\n', '3: the list\'s name "44" looks like a prefix; begin'),
    "in and out": (HEAD + 'lists: {a: {kind: gt, entries: ["44", "!44"]}}\n', "3: the prefix 44 stands with ! and without; remove"),
    "link twice": (
        HEAD + "links:\n  - {name: a, perimeter: national}\n  - {name: a, perimeter: internal}\n",
        '5: the link "a" stands twice; name each once',
    ),
    "perimeter": (HEAD + "links: [{name: a, perimeter: intl}]\n", '3: perimeter "intl" is unknown; did you mean internal?'),
    "exception": (HEAD + "exceptions: {malformd: drop}\n", '3: unknown key "malformd" in `exceptions`; did you mean malformed?'),
    "exception's action": (HEAD + "exceptions: {malformed: deny}\n", '3: malformed "deny" is unknown; known: allow, drop, reject'),
    "exception's side": (HEAD + "exceptions: {malformed: {intl: drop}}\n", '3: unknown key "intl" in `malformed`; did you mean'),
    # Rules
    "no id": (HEAD + "rules: [{when: {}, action: drop}]\n", "3: a rule has no `id`; add it"),
    "no condition": (HEAD + "rules: [{id: a, action: drop}]\n", "3: the rule has no condition; write `when: {…}`, or"),
    "rule id twice": (
        rule() + "  - {id: a, when: {}, action: drop}\n",
        '5: the rule "a" stands already at p.yaml:4; give it another id',
    ),
    "unknown field": (rule("{caling.gt: 44}"), '4: unknown field "caling.gt" in `when`; did you mean calling.gt?'),
    "unknown address": (rule("{map.addresses.msc: 44}"), "4: unknown field \"map.addresses.msc\" in `when`; write map.addresses.NAME.gt or"),
    "unknown operation": (rule("{operation: anyTimeInterogation}"), '4: operation "anyTimeInterogation" is unknown; did you mean anyTimeInterrogation?'),
    "unknown check": (rule("{check: imsi_is_hom}"), '4: check "imsi_is_hom" is unknown; did you mean imsi_is_home?'),
    "check any": (rule("{check: {all: [imsi_is_home], any: []}}"), '4: unknown key "any" in check; known: all'),
    "unknown perimeter": (rule("{perimeter: outside}"), '4: perimeter "outside" is unknown; known: internal, international, national'),
    "unknown operator": (rule("{calling.operator: DEUXX}"), '4: unknown operator "DEUXX" in calling.operator; there is none here'),
    "unknown link": (rule("{link: stp}"), '4: unknown link "stp" in link; there is none here'),
    "unknown list": (rule("{calling.gt: {in: blokced}}"), '4: unknown list "blokced" in calling.gt; '),
    "list without in": (rule("{calling.gt: home}"), "4: calling.gt names the list `home`; write {in: home}"),
    "list among values": (rule("{calling.gt: {in: [home, 44]}}"), "4: calling.gt has the list `home` among values; name one list"),
    "list of the wrong kind": (
        HEAD + "lists: {a: {kind: imsi, entries: []}}\nrules: [{id: a, when: {calling.gt: {in: a}}, action: drop}]\n",
        "4: the list `a` is of kind imsi; calling.gt wants one of kind gt",
    ),
    "opcode above": (rule("{calling.ssn: 256}"), '4: calling.ssn "256" is not usable; write a number from 0 to 255'),
    "word for a number": (rule("{calling.ssn: hlrr}"), '4: calling.ssn "hlrr" is unknown; did you mean hlr?'),
    "not a flag": (rule("{calling.absent: yes}"), '4: calling.absent "yes" is not usable; write true or false'),
    "ACN": (rule("{acn: anyTimeEnquiry}"), '4: acn "anyTimeEnquiry" is not usable; write it with dots: 0.4.0.0.1.0.29.3'),
    "empty list": (rule("{operation: []}"), "4: operation has no value; write one, or remove the field"),
    "unknown action": (rule(action="deny"), '4: action "deny" is unknown; known: allow, drop, reject'),
    "redirect without GT": (rule(action="redirect"), "4: a redirect needs its GT; write {redirect: 44…}"),
    "redirect of nothing": (rule(action="{redirect: }"), "4: a redirect needs its GT; write {redirect: 44…}"),
    "redirect to +": (rule(action='{redirect: "+4477"}'), '4: redirect "+4477" holds characters that are no digits; write 4477'),
    "return cause": (rule(action="{reject: {return_cause: unqualifed}}"), '4: return_cause "unqualifed" is unknown; did you mean unqualified?'),
    "final on a deny": (rule(more=", final: true"), "4: `final` belongs to an allow; remove it: a deny wins anyway"),
    "rule mode": (rule(more=", mode: monitor"), '4: mode "monitor" is unknown; known: enforce, off, shadow'),
    "17 categories": (
        HEAD + "rules:\n" + "".join(f"  - {{id: r{i}, category: c{i}, when: {{}}, action: drop}}\n" for i in range(18)),
        "20: more than 16 categories; put rules of one kind into one",
    ),
    "1,025 rules": (
        HEAD + "rules:\n" + "".join(f"  - {{id: r{i}, when: {{}}, action: drop}}\n" for i in range(1026)),
        "1028: more than 1024 rules; put values into lists",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), ONE.values(), ids=ONE)
def test_mistake_is_told_once_with_its_line_and_what_to_do(tmp_path: Path, text: str | bytes, told: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1, found
    assert found[0].startswith(f"p.yaml:{told}")


def test_mistakes_are_told_all_at_once_in_the_order_of_file_and_line(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        HEAD + "rules:\n  - {id: a, when: {ssn: 6}, action: dropp}\n"
        "home: {global_titles: ['+44'], imsi: [1]}\ninclude: b.yaml\nlists: {l: {kind: gt, file: a.csv}}\n",
        a__csv="44\n0044\n",
        b__yaml="exceptions: {malformed: no}\n",
    )
    assert [line.split(": ")[0] for line in found] == ["a.csv:2", "b.yaml:1", *["p.yaml:4"] * 2, *["p.yaml:5"] * 2]


def test_mistakes_beyond_what_anybody_reads_are_counted(tmp_path: Path) -> None:
    found = mistakes(tmp_path, HEAD + "".join(f"k{i}: 1\n" for i in range(20_000)))
    assert len(found) == yamlfile.MAX_TOLD + 1
    assert found[-1] == "p.yaml:52: and 19950 more mistakes in this file; mend those above first"


def test_aliases_that_multiply_end_before_they_take_memory(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 20))
    found = mistakes(tmp_path, bomb)
    assert len(found) == 1
    assert "holds more than 4000000 values" in found[0]


def test_file_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlfile, "MAX_OCTETS", 1 << 20)
    found = mistakes(tmp_path, "x" * ((1 << 20) + 1))
    assert found == ["p.yaml:1: p.yaml is larger than 1 MB; keep long lists in CSV files"]


def test_file_that_cannot_be_read_is_told_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^\S*none\.yaml:1: \S* cannot be read \(No such file or directory\); check"):
        load(tmp_path / "none.yaml")
    text = "include: none.yaml\n" + HEAD + "lists:\n  a: {kind: gt, file: none.csv}\n  b: {kind: gt, file: .}\n"
    assert mistakes(tmp_path, text + "operators: [{file: none.csv}]\n") == [
        "p.yaml:1: none.yaml cannot be read (No such file or directory); check the path and its permissions",
        "p.yaml:5: none.csv cannot be read (No such file or directory); check the path and its permissions",
        f"p.yaml:6: {tmp_path} is no file with rows; name a CSV file",
        "p.yaml:7: none.csv cannot be read (No such file or directory); check the path and its permissions",
    ]


def test_message_stays_on_its_line_whatever_a_path_holds(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, HEAD + 'include: "a\\nb\\e[31m\\u2028c.yaml"\n')
    assert told.startswith("p.yaml:3: a?b?[31m?c.yaml cannot be read")


# include --------------------------------------------------------------------------------------------------------------


def test_include_stands_in_its_place(tmp_path: Path) -> None:
    def one(name: str) -> str:
        return f"rules: [{{id: {name}, when: {{}}, action: drop}}]\n"

    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.yaml").write_text("include: ../c.yaml\n" + one("b"))
    policy = read(tmp_path, HEAD + one("a").replace("rules", "include: sub/b.yaml\nrules"), c__yaml=one("c"))
    assert [r.id for r in policy.rules] == ["c", "b", "a"]
    policy = read(tmp_path, HEAD + one("a") + "include: [c.yaml, sub/b.yaml]\n".replace(", sub/b.yaml", ""))
    assert [r.id for r in policy.rules] == ["a", "c"]
    assert [Path(f).name for f in policy.files] == ["p.yaml", "c.yaml"]


def test_include_of_itself_over_another_file_is_refused(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, HEAD + "include: b.yaml\n", b__yaml="include: [p.yaml]\n")
    assert told == "b.yaml:1: p.yaml includes itself by this line; remove it"


def test_include_that_doubles_at_every_level_ends(tmp_path: Path) -> None:
    beside = {f"f{i}__yaml": f"include: [f{i + 1}.yaml, f{i + 1}.yaml]\n" for i in range(20)}
    found = mistakes(tmp_path, HEAD + "include: f0.yaml\n", **beside, f20__yaml="lists: {}\n")
    assert len(found) == 1, found


def test_include_with_what_the_policy_has_already_is_told_at_the_second(tmp_path: Path) -> None:
    text = HEAD + "lists: {a: {kind: gt, entries: []}}\ninclude: b.yaml\n"
    (told,) = mistakes(tmp_path, text, b__yaml="lists:\n  a: {kind: gt, entries: []}\n")
    assert told == 'b.yaml:2: "a" of `lists` stands already at p.yaml:3; remove one'


# CSV ------------------------------------------------------------------------------------------------------------------

LIST = HEAD + "lists: {a: {kind: gt, file: a.csv}}\n"


def test_bad_row_in_a_large_file_is_told_with_its_line(tmp_path: Path) -> None:
    rows = [f"{n},note" for n in range(100_000, 150_000)]
    rows[40_000] = "0044,note"
    rows[45_000] = '140001,"a note with\nits own line"'
    rows[49_000] = "44,a,b,c,2026-01-01,2026-13-01"
    assert mistakes(tmp_path, LIST, a__csv="prefix,note,source,owner,valid_from,valid_until\n".join(["", "\n".join(rows)])) == [
        'a.csv:40002: the prefix "0044" begins with the prefix 00; write 44',
        'a.csv:49003: "2026-13-01" is no date; write it as 2026-11-23',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("44\n+49\n", '2: the prefix "+49" holds characters that are no digits; write 49'),
        (
            "44,a,b,c,d,e,f\n",
            "1: has more columns, 7, than prefix,note,source,owner,valid_from,valid_until; quote what holds a comma",
        ),
        ("prefix,note\n44,a,b\n", "2: has more columns, 3, than its header; quote what holds a comma"),
        (
            "44.0\n",
            '1: the prefix "44.0" holds characters that are no digits; write digits only, in international form without + or 00 (44…)',
        ),
        ("prefix,notes\n44,x\n", '1: unknown column "notes"; did you mean note?'),
        ("prefix,prefix\n44,44\n", '1: column "prefix" stands twice; remove one'),
        ('44\n"45,x\n46\n47\n', "2: is no CSV in the row that begins here (unexpected end of data); check the quotes"),
        (b"44\n\xff\xfe\n", "2: holds octets that are no UTF-8; save the file as UTF-8"),
        ("44\n" + "0" * 3_000_000, "2: has more than 65536 characters in a line; check the line ends"),
    ],
)
def test_bad_csv_is_told_with_its_line(tmp_path: Path, rows: str | bytes, told: str) -> None:
    (found,) = mistakes(tmp_path, LIST, a__csv=rows)
    assert found.startswith(f"a.csv:{told}")


def test_list_takes_exceptions_and_the_entries_of_the_day(tmp_path: Path) -> None:
    rows = """\ufeffPrefix,valid_until,valid_from
# not yet, no more, and the first and last day of others
441,,2026-11-25
442,2026-11-23,
443,2026-11-24,2026-11-24
 444 ,,

!4445,,
"""
    policy = read(tmp_path, LIST.replace("file", 'entries: ["9", "!98", "9"], file'), a__csv=rows)
    entries = {e.prefix: e.exclude for e in policy.lists["a"].entries}
    assert entries == {"9": False, "98": True, "443": False, "444": False, "4445": True}


def test_operators_of_a_file_add_up_by_code(tmp_path: Path) -> None:
    rows = "tadig,country,global_title,imsi\nDEUXX,DE,49171,26201\nDEUXX,,49170;49151,\nFRAXX,FR,,20801\n"
    policy = read(tmp_path, HEAD + "operators: [{file: o.csv}, {tadig: FRAXX, global_titles: ['336']}]\n", o__csv=rows)
    assert [(o.tadig, o.country, o.global_titles, o.imsi) for o in policy.operators] == [
        ("DEUXX", "DE", ("49171", "49170", "49151"), ("26201",)),
        ("FRAXX", "FR", ("336",), ("20801",)),
    ]


def test_operators_of_a_file_with_mistakes_are_told_by_row(tmp_path: Path) -> None:
    rows = "DEUXX,DE,49171,26201\nDEUXX,AT,4366,\nX,DE,49171,\nY,DE,,\nZ,DE,0049,123\n"
    assert mistakes(tmp_path, HEAD + "operators: [{file: o.csv}]\n", o__csv=rows) == [
        "o.csv:2: operator DEUXX is of DE and of AT; mend one of them",
        "o.csv:3: the prefix 49171 of X is DEUXX's already; give it to one of them",
        "o.csv:4: the row has no global title and no IMSI; write tadig,country,global_title,imsi",
        'o.csv:5: global title "0049" begins with the prefix 00; write 49',
        'o.csv:5: imsi "123" has 3 digits; write MCC and MNC, 5 digits at least',
    ]


# What is left out, and what the digest counts -------------------------------------------------------------------------


def test_exceptions_left_out_take_the_defaults(tmp_path: Path) -> None:
    allowed = {name for name, by in read(tmp_path, HEAD).exceptions.items() if set(by.values()) == {"allow"}}
    dropped = {name for name, by in read(tmp_path, HEAD).exceptions.items() if set(by.values()) == {"drop"}}
    assert allowed == {"not_tcap", "not_sccp"}
    assert dropped == names.EXCEPTIONS.keys() - allowed
    assert {"expired", "default"} <= dropped


def test_exceptions_by_perimeter_take_else_and_then_the_default(tmp_path: Path) -> None:
    text = HEAD + "exceptions:\n  malformed: {international: reject, else: allow}\n  not_tcap: {national: drop}\n"
    found = read(tmp_path, text).exceptions
    assert found["malformed"] == {"international": "reject", "national": "allow", "internal": "allow"}
    assert found["not_tcap"] == {"international": "allow", "national": "drop", "internal": "allow"}


def test_words_for_numbers_become_numbers(tmp_path: Path) -> None:
    policy = read(
        tmp_path, rule("{calling.ssn: [hlr, 0x92], sms.pid: 0x7f}", "{reject: {return_cause: subsystem_failure}}")
    )
    assert [c.within.values for c in policy.rules[0].when if c.within] == [(6, 0x92), (0x7F,)]
    assert policy.rules[0].return_cause == 3


BASE = """\
schema: 1
name: x
home: {country_code: "44", global_titles: ["4477", "4478"], imsi: ["23415"]}
links: [{name: a, match: {opc: [100]}, perimeter: national}]
operators: [{tadig: DEUXX, country: DE, global_titles: ["49171"], imsi: ["26201"]}]
lists: {l: {kind: gt, entries: ["23276", "!2327655"]}}
exceptions: {malformed: drop}
rules:
  - {id: a, category: c, when: {calling.gt: {in: l}, operation: [updateLocation, purgeMS]}, action: drop, motif: M1}
  - {id: b, category: c, when: {check: [imsi_is_home, imsi_missing]}, action: allow}
"""
SAME = {
    "a comment": ("name: x", "name: x  # a note"),
    "quotes": ('["23276",', "[23276,"),
    "order of keys": ('country_code: "44", global_titles: ["4477", "4478"]', 'global_titles: ["4478", 4477], country_code: 44'),
    "order of sections": ("exceptions: {malformed: drop}\n", ""),
    "order of values": ("[updateLocation, purgeMS]", "[purgeMS, updateLocation]"),
    "order of conditions": ("calling.gt: {in: l}, operation: [updateLocation, purgeMS]", "operation: [updateLocation, purgeMS], calling.gt: {in: l}"),
    "what is told": ("motif: M1", "labels: {owner: me}"),
    "the policy's name": ("name: x", "name: y"),
    "a default written out": ("id: b,", "id: b, mode: enforce, alert: false,"),
}  # fmt: skip
DIFFERENT = {
    "home's GTs": ('"4478"', '"4479"'),
    "country code": ('"44"', '"45"'),
    "a link": ("opc: [100]", "opc: [101]"),
    "an operator": ("26201", "26202"),
    "its country": ("DE,", "AT,"),
    "an entry": ('"23276"', '"23277"'),
    "an exception of a list": ("!2327655", "2327655"),
    "an exception": ("malformed: drop", "malformed: allow"),
    "a rule's id": ("id: a", "id: z"),
    "a category": ("id: b, category: c", "id: b, category: d"),
    "a field": ("calling.gt", "called.gt"),
    "in to not_in": ("{in: l}", "{not_in: l}"),
    "a value": ("purgeMS", "reset"),
    "a check": ("imsi_missing", "imsi_is_foreign"),
    "any to all": ("check: [imsi_is_home, imsi_missing]", "check: {all: [imsi_is_home, imsi_missing]}"),
    "an action": ("action: drop", "action: reject"),
    "a return cause": ("action: drop", "action: {reject: {return_cause: mtp_failure}}"),
    "a redirect": ("action: drop", 'action: {redirect: "4477"}'),
    "an alert": ("id: b,", "id: b, alert: true,"),
    "a mode": ("id: b,", "id: b, mode: shadow,"),
    "final": ("id: b,", "id: b, final: true,"),
    "order of rules": (BASE[BASE.index("  - {id: a") :], "".join(reversed(BASE[BASE.index("  - {id: a") :].splitlines(True)))),
}  # fmt: skip


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_digest_is_equal_where_nothing_that_decides_changed(tmp_path: Path, change: tuple[str, str]) -> None:
    assert change[0] in BASE
    assert read(tmp_path, BASE.replace(*change)).digest == read(tmp_path, BASE).digest


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_digest_differs_where_what_decides_changed(tmp_path: Path, change: tuple[str, str]) -> None:
    assert change[0] in BASE
    assert read(tmp_path, BASE.replace(*change)).digest != read(tmp_path, BASE).digest


def test_digest_is_that_of_entries_wherever_they_stand(tmp_path: Path) -> None:
    written = read(tmp_path, BASE.replace('entries: ["23276", "!2327655"]', "file: l.csv"), l__csv="!2327655\n23276\n")
    assert tuple(written.lists["l"].entries) == (Entry(prefix="2327655", exclude=True), Entry(prefix="23276"))
    assert written.digest == read(tmp_path, BASE).digest


def test_bounds_are_what_the_core_has_room_for() -> None:
    assert (schema.MAX_RULES, schema.MAX_CATEGORIES, schema.MAX_PREFIX_DIGITS) == (1024, 16, 16)


def test_cases_named_as_a_policy_are_one_line_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "p.tests.yaml").write_text("schema: 1\ncases: []\n")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "p.tests.yaml")
    (line,) = refused.value.mistakes
    assert (
        line
        == f"{tmp_path}/p.tests.yaml:1: holds the cases of a policy; name the policy: `sigfw policy test` finds them beside it"
    )
