"""Metrics: one collector that reads the core's counters, and what the pipeline knows, when somebody scrapes.

Nothing here runs per message. Every label comes from a closed set, from the policy's own ids, or from the topics
configured; never a number of a subscriber or a node. docs/metrics.md explains each metric to those who read them.
"""

import platform
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate, product
from threading import Lock
from typing import Any, Final, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from sigfw import __version__, names
from sigfw._core.memory import State

__all__ = ["BUCKETS_SECONDS", "CORE", "Histogram", "Metrics", "Rule"]

Labels = tuple[str, ...]
Counters = Mapping[str, Mapping[Labels, int]]
Family = TypeVar("Family", CounterMetricFamily, GaugeMetricFamily)
Rule = tuple[str, str, str, str]  # id, mode, category, action

# From a batch of a few messages in the core (tens of µs) to a consumer that has fallen a minute behind.
BUCKETS_SECONDS: Final = (
    50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
)  # fmt: skip

# The core's counters: name without sigfw_ and _total -> (labels in the order of Worker.counters(), help).
CORE: Final[dict[str, tuple[Labels, str]]] = {
    "messages": (("encapsulation", "perimeter"), "SCCP messages judged."),
    "verdicts": (("action", "reason", "category", "perimeter"), "Verdicts given, one a message."),
    "shadow_verdicts": (
        ("action", "reason", "perimeter"),
        "Verdicts that enforcing, or shadow rules, would have given where they differ from those given.",
    ),
    "rule_matches": (("rule", "mode"), "Components in which the rule was the first match of its category."),
    "decode_errors": (("layer", "code"), "Messages and records that could not be decoded, by the first error."),
    "exceptions": (("exception", "action"), "Exceptions of the policy that applied, by what it made of them."),
    "checks": (("check", "outcome"), "Checks evaluated."),
    "opcode_forms": (("form",), "Components by the form of their operation code."),
    "unusable_gts": (("why",), "Called and calling GTs that could not be looked up."),
    "segments": (("state",), "SCCP segments by what became of them."),
    "padded_opcodes": ((), "Components whose local operation code has more octets than it needs."),
    "link_header_conflicts": ((), "Messages whose link and header disagreed about the perimeter."),
    "not_sccp": ((), "Frames that hold no SCCP: ISUP, network management, M3UA other than DATA."),
    "unframed": ((), "Records in which no message could be found."),
}

# What state counts (State.counters, State.sizes), in the same form.
STATE: Final[dict[str, tuple[Labels, str]]] = {
    "state_lookups": (
        ("table", "outcome"),
        "What is remembered: asked and known (hit), or not (miss); pushed out while it counted.",
    ),
}
STATE_GAUGES: Final[dict[str, tuple[Labels, str]]] = {
    "state_entries": (("table",), "Entries remembered."),
}

# What the pipeline counts, in the same form.
PIPELINE: Final[dict[str, tuple[Labels, str]]] = {
    "dead_letters": (("code",), "Records sent to the dead-letter topic."),
    "events": ((), "Events written."),
    "events_suppressed": ((), "Events folded into another, or left out, in a flood."),
    "reassemblies_ended": (("reason",), "Reassemblies that ended without their whole message."),
    "policy_reloads": (("outcome",), "Policies read again while running: taken (ok) or refused."),
    "store_exchanges": (("outcome",), "Round trips to the shared store: in time (ok), too late, failed, or skipped."),
}

GAUGES: Final[dict[str, tuple[Labels, str]]] = {
    "policy_loaded_timestamp_seconds": ((), "When the policy in force was loaded, in seconds since the epoch."),
    "gt_table_prefixes": (("list",), "Prefixes in each list of the policy in force."),
    "mode": (("perimeter", "mode"), "1 for the mode a perimeter is in."),
    "consumer_lag_records": (("topic", "partition"), "Records of an assigned partition not judged yet."),
    "consumer_lag_seconds": (("topic", "partition"), "Age of the oldest record not judged yet; 0 where there is none."),
    "reassemblies_in_flight": ((), "Reassemblies that wait for more segments."),
    "ready": ((), "1 when /readyz says so."),
}

HISTOGRAMS: Final[dict[str, str]] = {
    "batch_seconds": "Time of one call into the core, per batch.",
    "end_to_end_seconds": "From the poll that brought a record to its acknowledged verdict, per record.",
    "verdict_age_seconds": "From the record's own time to its acknowledged verdict, per record.",
    "store_seconds": "Time waited for the shared store, per round trip.",
}

OTHER: Final = "other"
_REASSEMBLY_ENDS: Final = ("reassembly_timeout", "reassembly_orphan")
# Reasons that come with other actions than an exception may.
_REASON_ACTIONS: Final = {
    "segment_held": ("hold",),
    "monitor": ("allow",),
    "bypass": ("allow",),
    "reject_not_permitted": ("drop",),
    "reassembly_failed": ("allow", "drop"),
    "reassembly_orphan": ("allow", "drop"),
    "unframed": ("allow", "drop"),
}


class Histogram:
    """Counts in BUCKETS_SECONDS. Observed by one thread, read by another.

    Plain integers: about a tenth of what prometheus_client's own observe costs.
    """

    __slots__ = ("_counts", "_sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS_SECONDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float, n: int = 1) -> None:
        """Count n observations of `seconds`; below 0 (a clock that ran ahead) counts as 0."""
        seconds = max(seconds, 0.0)
        self._counts[bisect_left(BUCKETS_SECONDS, seconds)] += n
        self._sum += seconds * n

    def buckets(self) -> list[tuple[str, float]]:
        """(upper bound, observations up to it), the last of them +Inf."""
        bounds = [*map(str, BUCKETS_SECONDS), "+Inf"]
        return list(zip(bounds, accumulate(self._counts.copy()), strict=True))

    @property
    def total_seconds(self) -> float:
        return self._sum


class Metrics(Collector):
    """All metrics of one worker, in a registry of its own (`registry`).

    counters: Worker.counters(), called at each scrape, in the thread of the scrape; so are those of state.
    ready: what sigfw_ready shows; set by the HTTP server. One thread writes; any may scrape.
    """

    def __init__(self, counters: Callable[[], Counters], state: State | None = None) -> None:
        self._counters = counters
        self._state = state or State()
        self.ready: Callable[[], bool] = lambda: False
        self.batch_seconds = Histogram()
        self.end_to_end_seconds = Histogram()
        self.verdict_age_seconds = Histogram()
        self.store_seconds = Histogram()
        self._lock = Lock()
        self._zeros = _core_zeros()
        self._policy_zeros: dict[str, dict[Labels, int]] = {}
        self._policy: tuple[str, str] | None = None
        self._counts = _pipeline_zeros()
        self._gauges: dict[str, dict[Labels, float]] = {name: {} for name in GAUGES}
        self._gauges["reassemblies_in_flight"][()] = 0
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    # What the pipeline tells.

    def set_policy(
        self, name: str, digest: str, loaded_at: float, list_sizes: Mapping[str, int], rules: Iterable[Rule] = ()
    ) -> None:
        """Show the policy in force.

        loaded_at: seconds since the epoch; list_sizes: list -> prefixes.
        rules: all of them, so that a rule's first match is a step from 0 and not a series out of nothing.
        """
        shown = [rule for rule in rules if rule[1] != "off"]
        zeros: dict[str, dict[Labels, int]] = {
            "rule_matches": {(rule, mode): 0 for rule, mode, _, _ in shown},
            "verdicts": {
                (action, "rule", category, perimeter): 0
                for (_, mode, category, action), perimeter in product(shown, names.PERIMETERS[1:])
                if mode == "enforce"
            },
        }
        with self._lock:
            self._policy = (name, digest)
            self._policy_zeros = zeros
            self._gauges["policy_loaded_timestamp_seconds"][()] = loaded_at
            self._gauges["gt_table_prefixes"] = {(key,): size for key, size in list_sizes.items()}

    def set_modes(self, modes: Mapping[str, str]) -> None:
        """Show the switch: perimeter -> enforce, monitor or bypass; a perimeter left out is in monitor."""
        for perimeter, mode in modes.items():
            if perimeter not in names.PERIMETERS[1:] or mode not in names.MODES[1:]:
                raise ValueError(f"no such perimeter or mode: {perimeter}: {mode}")
        series = product(names.PERIMETERS[1:], names.MODES[1:])
        with self._lock:
            self._gauges["mode"] = {(p, m): float(modes.get(p, "monitor") == m) for p, m in series}

    def set_lag(self, topic: str, partition: int, records: int, seconds: float) -> None:
        """records: not judged yet; seconds: age of the oldest of them, 0 where there is none."""
        key = (topic, str(partition))
        with self._lock:
            self._gauges["consumer_lag_records"][key] = records
            self._gauges["consumer_lag_seconds"][key] = max(seconds, 0.0)

    def drop_partition(self, topic: str, partition: int) -> None:
        """Forget a partition that was revoked: its lag is another worker's to show."""
        with self._lock:
            self._gauges["consumer_lag_records"].pop((topic, str(partition)), None)
            self._gauges["consumer_lag_seconds"].pop((topic, str(partition)), None)

    def count_dead_letters(self, code: str, n: int = 1) -> None:
        """code: one of names.ERROR_CODES, else counted as `other`."""
        self._count("dead_letters", (code,), n)

    def count_events(self, n: int) -> None:
        self._count("events", (), n)

    def count_events_suppressed(self, n: int) -> None:
        self._count("events_suppressed", (), n)

    def set_reassembly(self, in_flight: int) -> None:
        with self._lock:
            self._gauges["reassemblies_in_flight"][()] = in_flight

    def count_reassembly_ended(self, reason: str, n: int = 1) -> None:
        """reason: reassembly_timeout or reassembly_orphan, else counted as `other`."""
        self._count("reassemblies_ended", (reason,), n)

    def count_policy_reload(self, ok: bool) -> None:
        self._count("policy_reloads", ("ok" if ok else "refused",), 1)

    def count_store_exchange(self, outcome: str) -> None:
        """outcome: ok, late, failed or skipped."""
        self._count("store_exchanges", (outcome,), 1)

    def _count(self, name: str, labels: Labels, n: int) -> None:
        with self._lock:
            series = self._counts[name]
            # The label sets are closed: what is not in one would be free text, or a series for each mistake.
            series[labels if labels in series else (OTHER,)] += n

    # What a scrape reads.

    def describe(self) -> Iterable[Metric]:
        """All metrics without samples: their names, for the registry and for the tests."""
        for name, (labels, text) in (CORE | PIPELINE).items():
            yield CounterMetricFamily(f"sigfw_{name}", text, labels=labels)
        for name, (labels, text) in STATE.items():
            yield CounterMetricFamily(f"sigfw_{name}", text, labels=labels)
        for name, (labels, text) in (GAUGES | STATE_GAUGES).items():
            yield GaugeMetricFamily(f"sigfw_{name}", text, labels=labels)
        for name, text in HISTOGRAMS.items():
            yield HistogramMetricFamily(f"sigfw_{name}", text)
        yield InfoMetricFamily("sigfw_policy", "The policy in force.")
        yield InfoMetricFamily("sigfw_build", "Versions of sigfw and Python.")

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            zeros = [self._zeros, self._policy_zeros]
            counts = {name: dict(series) for name, series in self._counts.items()}
            gauges = {name: dict(series) for name, series in self._gauges.items()}
            policy = self._policy
        gauges["ready"] = {(): float(self.ready())}
        core = self._counters()
        for name, (labels, text) in CORE.items():
            merged: dict[Labels, int] = {}
            for source in (*zeros, core):
                merged.update(source.get(name, {}))
            yield _filled(CounterMetricFamily(f"sigfw_{name}", text, labels=labels), merged)
        for name, (labels, text) in PIPELINE.items():
            yield _filled(CounterMetricFamily(f"sigfw_{name}", text, labels=labels), counts[name])
        for name, (labels, text) in STATE.items():
            yield _filled(CounterMetricFamily(f"sigfw_{name}", text, labels=labels), self._state.counters())
        gauges["state_entries"] = dict(self._state.sizes().items())
        for name, (labels, text) in (GAUGES | STATE_GAUGES).items():
            yield _filled(GaugeMetricFamily(f"sigfw_{name}", text, labels=labels), gauges[name])
        for name, text in HISTOGRAMS.items():
            histogram: Histogram = getattr(self, name)
            yield HistogramMetricFamily(f"sigfw_{name}", text, histogram.buckets(), histogram.total_seconds)
        if policy is not None:
            shown = {"name": policy[0], "digest": policy[1]}
            yield InfoMetricFamily("sigfw_policy", "The policy in force.", shown)
        build = {"version": __version__, "python": platform.python_version()}
        yield InfoMetricFamily("sigfw_build", "Versions of sigfw and Python.", build)


def _filled(family: Family, series: Mapping[Any, float]) -> Family:
    for labels, value in series.items():
        family.add_metric(labels, value)
    return family


def _core_zeros() -> dict[str, dict[Labels, int]]:
    """The core's series that stand at 0 from the start: all that a rule of the policy does not bring.

    rate() sees no increase in a series that appears with its first count, and an alert on it would sleep.
    """
    perimeters = names.PERIMETERS[1:]
    actions = ("allow", "reject", "drop")
    verdicts = [
        (action, reason, "", perimeter)
        for reason, perimeter in product(names.REASONS[1:], perimeters)
        if reason != "rule"
        for action in _REASON_ACTIONS.get(reason, actions)
    ]
    series: dict[str, Iterable[Labels]] = {
        "messages": product(names.ENCAPSULATIONS[1:], perimeters),
        "verdicts": verdicts,
        "shadow_verdicts": product(("drop",), names.REASONS[1:], perimeters),
        "rule_matches": (),
        "decode_errors": product(names.LAYERS[1:], names.ERROR_CODES[1:]),
        "exceptions": product(names.EXCEPTIONS, actions),
        "checks": product(names.CHECKS[1:], names.CHECK_OUTCOMES),
        "opcode_forms": ((form,) for form in names.OPCODE_FORMS[1:]),
        "unusable_gts": ((why,) for why in names.GT_TROUBLES[1:]),
        "segments": ((state,) for state in names.SEGMENT_STATES[1:]),
        "padded_opcodes": [()],
        "link_header_conflicts": [()],
        "not_sccp": [()],
        "unframed": [()],
    }
    return {name: dict.fromkeys(labels, 0) for name, labels in series.items()}


def _pipeline_zeros() -> dict[str, dict[Labels, int]]:
    series: dict[str, Iterable[Labels]] = {
        "dead_letters": ((code,) for code in (*names.ERROR_CODES[1:], OTHER)),
        "events": [()],
        "events_suppressed": [()],
        "reassemblies_ended": ((reason,) for reason in (*_REASSEMBLY_ENDS, OTHER)),
        "policy_reloads": [("ok",), ("refused",)],
        "store_exchanges": [("ok",), ("late",), ("failed",), ("skipped",), (OTHER,)],
    }
    return {name: dict.fromkeys(labels, 0) for name, labels in series.items()}
