"""The prefix table against a dict of prefixes that is asked from the longest down."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw import names
from sigfw._core import probe
from sigfw._core.gttable import OPERATOR_ITEM, PrefixTable
from sigfw.policy.compiler import compile_policy
from sigfw.policy.model import Entry, Home, NumberList, Operator, Policy
from tests.unit.rule_reference import make_policy

Entries = list[tuple[str, int]]
Found = tuple[frozenset[int], int]

ALPHABETS = ("0123456789", "09", "089", "49")  # the ends of the range carry: 9 is where the next prefix begins


def oracle(entries: Entries, number: str) -> tuple[str | None, Found]:
    """The longest prefix there is, the lists and the operator: each list and the operator by its own longest prefix."""
    by_prefix: dict[str, list[int]] = {}
    for prefix, item in entries:
        by_prefix.setdefault(prefix, []).append(item)
    lists: dict[int, bool] = {}
    operator, longest = 0, None
    for n in range(len(number), 0, -1):
        items = by_prefix.get(number[:n])
        if items is None:
            continue
        longest = longest or number[:n]
        operator = operator or min((item & ~OPERATOR_ITEM for item in items if item & OPERATOR_ITEM), default=0)
        excluded = {item >> 1 for item in items if item & 1 and not item & OPERATOR_ITEM}
        for item in items:
            if not item & OPERATOR_ITEM:
                lists.setdefault(item >> 1, item >> 1 not in excluded)
    return longest, (frozenset(one for one, inside in lists.items() if inside), operator)


def agree(table: PrefixTable, entries: Entries, numbers: Iterable[str]) -> None:
    for number in numbers:
        prefix, found = oracle(entries, number)
        assert table.classes[table.find(number)] == found, number
        match = table.match(number)
        assert (match[0] if match else None) == prefix, number
        assert match is None or table.classes[match[1]] == found, number


@st.composite
def tables(draw: st.DrawFn) -> tuple[Entries, list[str]]:
    alphabet = draw(st.sampled_from(ALPHABETS))
    digits = st.text(alphabet, min_size=1, max_size=draw(st.sampled_from((3, 6, 16))))
    item = st.integers(0, 15) | st.integers(1, 3).map(lambda one: OPERATOR_ITEM | one)
    entries = draw(st.lists(st.tuples(digits, item), max_size=40))
    numbers = draw(st.lists(st.text(alphabet, min_size=1, max_size=16), max_size=10))
    more = draw(st.text(alphabet, max_size=5))
    for prefix, _ in entries:
        numbers += [prefix, (prefix + more)[:16], prefix[:-1] or prefix]
    return entries, numbers


@given(tables())
def test_longest_prefix_decides_each_list_and_the_operator(case: tuple[Entries, list[str]]) -> None:
    entries, numbers = case
    agree(PrefixTable([one for one, _ in entries], [item for _, item in entries]), entries, numbers)


@pytest.mark.parametrize("count", [300, 5_000, 100_000])
def test_many_prefixes_are_found(count: int) -> None:
    """Beyond the bounds at which the bucket index takes another digit."""
    state, entries = 1, []
    for _ in range(count):
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        digits = str((state >> 33) % 10**9)[: 3 + (state >> 20) % 7]
        entries.append((digits, (OPERATOR_ITEM | 1 + state % 800) if state >> 60 else state >> 40 & 15))
    table = PrefixTable([one for one, _ in entries], [item for _, item in entries])
    by_prefix: dict[str, Entries] = {}
    for entry in entries:
        by_prefix.setdefault(entry[0], []).append(entry)
    assert table.prefixes == len(by_prefix)
    for i in range(0, count, count // 300):
        number = entries[i][0] + str(i)
        near = [entry for n in range(1, len(number) + 1) for entry in by_prefix.get(number[:n], ())]
        agree(table, near, (number, entries[i][0]))


@pytest.mark.parametrize("prefix", ["", "4" * 17, "44a", "٤٤", "4 4", "-1"])
def test_prefix_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix has"):
        PrefixTable([prefix], [0])


def policy() -> Policy:
    return make_policy(
        home=Home(
            country_code="44",
            global_titles=("4477009",),
            e214=("4477011",),
            imsi=("23415",),
            msisdn=("447712",),
            hosted_abroad=("447700955",),
        ),
        operators=(Operator(tadig="DEUXX", country="DE", global_titles=("49171", "4"), imsi=("26201",)),),
        lists={
            "blocked": NumberList(
                kind="gt",
                entries=tuple(
                    Entry(prefix=one.lstrip("!"), exclude="!" in one)
                    for one in ("23276", "!2327655", "23276559", "4917100001234567")
                ),
            ),
            "imsis": NumberList(kind="imsi", entries=(Entry(prefix="26201"),)),
        },
    )


@pytest.mark.parametrize(
    ("space", "digits", "lists", "operator"),
    [
        ("e164", "23276", ["blocked"], None),
        ("e164", "2327", None, None),  # shorter than the prefix
        ("e164", "2327654", ["blocked"], None),
        ("e164", "2327655", [], None),
        ("e164", "23276551", [], None),
        ("e164", "232765591", ["blocked"], None),
        ("e214", "23276", ["blocked"], None),
        ("e212", "23276", None, None),
        ("msisdn", "23276", None, None),
        ("e164", "447700955", ["home", "hosted_abroad"], "home"),
        ("e214", "447701155", ["home"], "home"),
        ("e214", "44770095", [], "DEUXX"),
        ("msisdn", "447712", ["home"], "home"),
        ("msisdn", "4477009", [], "DEUXX"),
        ("e212", "234150", ["home"], "home"),
        ("e212", "2620112", ["imsis"], "DEUXX"),
        ("e164", "4917100001234567", ["blocked"], "DEUXX"),  # 16 digits
        ("e164", "491710000123456", [], "DEUXX"),
        ("e164", "4", [], "DEUXX"),  # one
    ],
)
def test_policy_says_of_a_number_in_its_space(
    space: str, digits: str, lists: list[str] | None, operator: str | None
) -> None:
    found = compile_policy(policy()).lookup(digits, space)
    assert (found and (found["lists"], found["operator"])) == (None if lists is None else (lists, operator))


@given(st.text("0123456789abcdef", min_size=1, max_size=20), st.sampled_from([1, 6, 7]))
@settings(max_examples=300)
def test_gt_of_any_digits_is_looked_up_as_tables_say(digits: str, np: int) -> None:
    """Overdecadic or overlong digits included: what is no number of its plan has no class and is an unusable GT."""
    tables = compile_policy(policy())
    judged = probe.judge(tables, {"calling": {"gt": digits, "np": np, "nai": 4}})
    plain = digits.rstrip("f")
    if len(plain) == 16:
        plain = plain.removesuffix("0")
    if np != 6 and plain.startswith("00") and not plain.startswith("000"):
        plain = plain[2:]
    usable = 0 < len(plain) <= 15 and plain.isdecimal() and (np == 6 or plain[0] != "0")
    assert bool(judged["exceptions"]) is not usable
    found = usable and tables.lookup(plain, {1: "e164", 6: "e212", 7: "e214"}[np])
    assert judged["calling_classes"] == ([found["class"] if found else 0] if usable else [])


def test_spaces_are_those_of_names() -> None:
    assert list(compile_policy(policy()).list_sizes()) == list(names.SPACES[1:])
