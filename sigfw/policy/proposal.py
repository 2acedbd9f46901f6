"""What was learned, as a policy to review: YAML, each line with its evidence."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from sigfw.policy.checks import MAX_LIMITS, MAX_PER_SECOND
from sigfw.policy.learn import MAX_SEEN, RANGE_DIGITS, UNASKED, Learner, Seen, Source, common_prefix
from sigfw.policy.model import Policy
from sigfw.policy.words import some

__all__ = ["Thresholds", "proposal"]

MAIN_SHARE: Final = 0.9  # of what a source manages: below, it is a hub of several networks
MAX_BURST: Final = 1_000_000  # as checks.py has it
MAX_TOLD: Final = 200  # suspects and small ones told by name; the others are counted


class Thresholds(msgspec.Struct, frozen=True):
    minimum: int  # messages
    subscribers: int  # distinct ones behind them
    headroom: int  # factor on the highest rate seen

    def met(self, seen: Seen) -> bool:
        return seen.count >= self.minimum and len(seen.subscribers) >= self.subscribers


class Found(msgspec.Struct):
    """Sources by what they are taken for. Keys: operator -> ranges."""

    home: dict[str, Source] = {}
    operators: dict[str, dict[str, Source]] = {}  # by the name proposed, or by that of the policy
    networks: dict[str, str] = {}  # name -> its PLMN
    hubs: dict[str, Source] = {}
    smscs: dict[str, Source] = {}
    suspects: dict[str, Source] = {}
    small: dict[str, Source] = {}
    against: dict[str, dict[str, int]] = {}

    def good(self) -> list[set[str]]:
        """Ranges of those who teach rates, an operator's together."""
        return [*map(set, self.operators.values()), *({one} for one in (*self.hubs, *self.smscs))]


def proposal(learner: Learner, policy: Policy | None, thresholds: Thresholds, capture: str) -> str:
    """YAML that loads as it stands; what a person must decide is in comments.

    policy: the one that the messages were judged by; its home and operators are known, and not proposed again.
    """
    home = _home_imsi(learner, policy)
    found = _sorted(learner, home, thresholds)
    lines = [
        *_head(learner, policy, thresholds, capture),
        *_home(learner, policy, thresholds),
        *_operators(found, policy),
        *_lists(found),
        *_limits(learner, found, thresholds),
        *_suspects(found),
    ]
    return "\n".join(lines) + "\n"


# -- who is who --------------------------------------------------------------------------------------------------------


def _home_imsi(learner: Learner, policy: Policy | None) -> tuple[str, ...]:
    """By the policy; else the PLMN that HLRs were asked about most: a guess, which is told as one."""
    if policy is not None and policy.home.imsi:
        return policy.home.imsi
    counts: dict[str, int] = {}
    for (_, network), source in learner.asked.items():
        counts[network] = counts.get(network, 0) + source.visited.count
    return (max(counts, key=lambda one: counts[one]),) if counts else ()


def _sorted(learner: Learner, home: tuple[str, ...], thresholds: Thresholds) -> Found:
    found = Found()
    for (key, network), source in learner.asked.items():
        if home and network.startswith(home) and thresholds.met(source.visited):
            found.home[key] = source
    for key, source in learner.sources.items():
        _sort(found, key, source, home, thresholds)
    return found


def _sort(found: Found, key: str, source: Source, home: tuple[str, ...], thresholds: Thresholds) -> None:
    if source.known == "home" or key in found.home:
        return
    against = _against(source, home)
    if against:
        found.against[key] = against
    if sum(against.values()) + source.denied > (1 - MAIN_SHARE) * (source.requests() + source.denied):
        found.suspects[key] = source
    elif not _managing(found, key, source, home, thresholds):
        if thresholds.met(source.visited):
            found.operators.setdefault(source.known or f"VISITED-{key}", {})[key] = source
        elif thresholds.met(source.delivered):
            found.smscs[key] = source
        else:
            found.small[key] = source


def _against(source: Source, home: tuple[str, ...]) -> dict[str, int]:
    """What only home, or only who has a contract, sends: counts."""
    about_home = sum(seen.count for network, seen in source.managed.items() if home and network.startswith(home))
    return ({"about home's own subscribers": about_home} if about_home else {}) | dict(source.unasked.most_common(4))


def _managing(found: Found, key: str, source: Source, home: tuple[str, ...], thresholds: Thresholds) -> bool:
    """Take the source for the operator of the IMSIs that it manages, or for a hub."""
    foreign = {one: seen for one, seen in source.managed.items() if not (home and one.startswith(home))}
    managed = {network: seen for network, seen in foreign.items() if thresholds.met(seen)}
    if not managed:
        return False
    main = max(managed, key=lambda one: managed[one].count)
    if managed[main].count < MAIN_SHARE * sum(seen.count for seen in foreign.values()):
        found.hubs[key] = source
        return True
    name = source.known or f"PLMN-{main}"
    found.operators.setdefault(name, {})[key] = source
    found.networks[name] = main
    return True


# -- the text ----------------------------------------------------------------------------------------------------------


def _head(learner: Learner, policy: Policy | None, thresholds: Thresholds, capture: str) -> Iterator[str]:
    yield "# A proposal, learned by `sigfw policy learn`: nothing of it is in force. Read every line; take what you"
    yield "# know to be true into your policy. Traffic shows who speaks, not who may."
    yield "#"
    yield f"# Capture    {_plain(capture)}: {learner.messages} TCAP messages"
    if policy is None:
        yield "# Policy     none: what was denied is not known. With --policy, messages that it denies teach nothing."
    else:
        yield f"# Policy     {policy.name} {policy.digest}: {learner.denied} requests that it denies taught nothing."
    yield (
        f"# Thresholds {thresholds.minimum} messages about {thresholds.subscribers} subscribers from GTs that share"
        f" {RANGE_DIGITS} digits; below, a source is in no proposal."
    )
    for what, count in learner.left_out.items():
        yield f"# Left out   {count} {what}"
    yield "#"
    yield "# Fill in: `home`; the TADIG code and the country of every operator, by its IR.21. GT prefixes are as narrow"
    yield "# as what was seen: widen them by the IR.21. An MNC has two digits here, three where E.212 says so."
    yield "schema: 1"
    yield "name: learned"


def _home(learner: Learner, policy: Policy | None, thresholds: Thresholds) -> Iterator[str]:
    yield ""
    if policy is not None and policy.home.imsi:
        yield f"# As in {policy.name}."
        yield f'home: {{country_code: "{policy.home.country_code}", imsi: {_quoted(policy.home.imsi)}}}'
        return
    yield "# Nothing in a capture proves which network is ours. Hints: HLRs that were asked most, and about whom."
    ranked = sorted(learner.asked.items(), key=lambda one: -one[1].visited.count)
    for (_, network), source in [one for one in ranked if thresholds.met(one[1].visited)][:5]:
        yield f'#   global_titles: ["{source.prefix}"], imsi: ["{network}"]   # {_evidence(source.visited)}'
    yield "home: {}"


def _operators(found: Found, policy: Policy | None) -> Iterator[str]:
    new = {name: ranges for name, ranges in found.operators.items() if not _known(ranges)}
    yield ""
    yield "operators:" if new else "operators: []   # nobody new who meets the thresholds"
    for name, ranges in sorted(new.items(), key=lambda one: -_weight(one[1].values())):
        network = found.networks.get(name)
        for key, source in ranges.items():
            yield from _lines(f"  # {source.prefix}", _told(found, key, source, network))
        imsi = f', imsi: ["{network}"]' if network else ""
        yield f"  - {{tadig: {name}, global_titles: {_quoted(source.prefix for source in ranges.values())}{imsi}}}"
    known = sorted(name for name, ranges in found.operators.items() if _known(ranges))
    if known:
        yield f"# Known by the policy and seen: {', '.join(known)}"
    imsis = {one.tadig: one.imsi for one in policy.operators} if policy else {}
    for name in known:
        for network in {one for source in found.operators[name].values() for one in source.managed}:
            if not network.startswith(imsis.get(name, ())):
                yield f"# {name} manages IMSIs of {network} too, which the policy does not say: MVNO, sponsor or abuse"


def _known(ranges: Mapping[str, Source]) -> bool:
    return any(source.known for source in ranges.values())


def _told(found: Found, key: str, source: Source, network: str | None = None) -> list[str]:
    """What speaks for the source, and what against it."""
    parts = [f"{_some(len(source.gts))} GTs"]
    if key in found.against:
        parts.append("CAUTION: " + ", ".join(f"{name} {count} times" for name, count in found.against[key].items()))
    for one, seen in sorted(source.managed.items(), key=lambda item: (item[0] != network, -item[1].count))[:4]:
        also = "" if one == network or network is None else " too (an MVNO, a sponsor, or abuse)"
        parts.append(f"manages IMSIs of {one}{also}, {_evidence(seen)}")
    if source.visited.count:
        parts.append(f"asks about its guests, {_evidence(source.visited)}")
    if source.delivered.count:
        parts.append(f"delivers short messages, {_evidence(source.delivered)}")
    if source.denied:
        parts.append(f"denied by the policy {source.denied} times")
    return parts


def _lines(head: str, parts: list[str]) -> Iterator[str]:
    """Comments: the head with the first part, the others below it."""
    yield f"{head}: {parts[0]}"
    margin = head[: head.index("#")]
    for part in parts[1:]:
        yield f"{margin}#       {part}"


def _lists(found: Found) -> Iterator[str]:
    own, others = _gsmscfs(found)
    yield ""
    yield "lists:"
    yield "  # Who manages IMSIs of several networks is a hub, a sponsor, or an attacker. Add those whom you know:"
    for key, source in found.hubs.items():
        yield from _lines(f"  #   {source.prefix}", _told(found, key, source))
    yield "  hubs: {kind: gt, entries: []}"
    yield "  # Named as gsmSCF in profiles that an operator sent, and of the same range as the GT that sent them."
    for told in others:
        yield f"  # Left out, of another range (a shared platform, or interception): {told}"
    yield from _list("partner-gsmscf", own)
    yield "  # Ask where to deliver short messages, and deliver, and do nothing else."
    yield from _list("smsc", {one.prefix: "; ".join(_told(found, key, one)) for key, one in found.smscs.items()})


def _gsmscfs(found: Found) -> tuple[dict[str, str], list[str]]:
    """Prefix -> evidence; and what was named that is not the sender's own."""
    own: dict[str, str] = {}
    others: list[str] = []
    for ranges in found.operators.values():
        for source in ranges.values():
            mine = [one for one in source.gsmscf if one.isdecimal() and one[:RANGE_DIGITS] in ranges]
            if mine:
                count = sum(source.gsmscf[one] for one in mine)
                own[common_prefix(mine)[:16]] = f"{_some(len(mine))} nodes in {count} messages from {source.prefix}"
            rest = [f"{one} ({source.gsmscf[one]})" for one in source.gsmscf if one not in mine]
            if rest:
                others.append(f"{some(rest)} from {source.prefix}")
    return own, others


def _list(name: str, entries: Mapping[str, str]) -> Iterator[str]:
    if not entries:
        yield f"  {name}: {{kind: gt, entries: []}}"
        return
    yield f"  {name}:"
    yield "    kind: gt"
    yield "    entries:"
    for prefix, why in entries.items():
        yield f'      - "{prefix}"   # {why}'


def _limits(learner: Learner, found: Found, thresholds: Thresholds) -> Iterator[str]:
    by_gt, by_operator, counts = learner.peaks(found.good())
    # What nobody sends unasked has no normal rate.
    often = [one for one, count in counts.most_common() if count >= thresholds.minimum and one not in UNASKED]
    yield ""
    if not often:
        yield "# No rates: too few requests with times of sources that meet the thresholds."
        return
    yield f"# The most of one second, by one GT and by one operator, times {thresholds.headroom}. They limit nothing"
    yield "# before a rule asks for the check `rate_exceeded`; begin with `mode: shadow`."
    yield "checks:"
    yield "  rate_exceeded:"
    yield "    limits:"
    for operation in often[: MAX_LIMITS // 2]:
        for by, peak in (("calling.gt", by_gt[operation]), ("calling.operator", by_operator[operation])):
            rate = min(peak * thresholds.headroom, int(MAX_PER_SECOND))
            limit = f"by: {by}, operation: {operation}, per_second: {rate}, burst: {min(2 * rate, MAX_BURST)}"
            yield f"      - {{{limit}}}   # seen: {peak}, of {counts[operation]}"
    if len(often) > MAX_LIMITS // 2:
        yield f"# and {len(often) - MAX_LIMITS // 2} rarer operations, beyond the {MAX_LIMITS} limits of a policy"


def _suspects(found: Found) -> Iterator[str]:
    yield ""
    yield "# Not proposed:"
    told = [*found.suspects.items()][:MAX_TOLD], [*found.small.items()][:MAX_TOLD]
    for ones, why in zip(told, ("suspect", "below the thresholds"), strict=True):
        for key, source in ones:
            known = f" (operator {source.known} of the policy)" if source.known else ""
            yield from _lines(f"#   {source.prefix}{known}: {why}", _told(found, key, source))
    more = len(found.suspects) + len(found.small) - sum(map(len, told))
    if more:
        yield f"#   and {more} more"
    elif not found.suspects and not found.small:
        yield "#   nobody"


def _weight(sources: Iterable[Source]) -> int:
    return sum(s.visited.count + sum(seen.count for seen in s.managed.values()) for s in sources)


def _evidence(seen: Seen) -> str:
    times = f", {seen.first[:19]}Z to {seen.last[:19]}Z" if seen.first else ""
    about = f" about {_some(len(seen.subscribers))} subscribers" if seen.subscribers else ""
    return f"{seen.count} messages{about}{times}"


def _some(count: int) -> str:
    return f"{count} or more" if count >= MAX_SEEN else str(count)


def _quoted(prefixes: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{one}"' for one in dict.fromkeys(prefixes)) + "]"


def _plain(text: str) -> str:
    """A file's name may hold a line end, which would end the comment."""
    return "".join(c if c.isprintable() else "?" for c in text)
