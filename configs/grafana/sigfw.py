"""The dashboard, as code: `python configs/grafana/sigfw.py > configs/grafana/sigfw.json`.

Top row: is it alive, what is in force, what does it do; what explains it stands below. Each panel's description says
what it means and what to do. No `or vector(0)`: the series stand at 0 from the start, so an empty panel means that
nothing is scraped.
"""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableRefresh, VariableSort
from panels import SOURCE, WINDOW, bars, graph, number, quantiles, rate, selected, total


def overview(board: dashboard.Dashboard) -> None:
    deny = total("", "sigfw_verdicts_total", 'action=~"drop|reject|redirect"')
    every = total("", "sigfw_verdicts_total")
    mode = f"max by (perimeter, mode) ({selected('sigfw_mode')} == 1)"
    for panel in (
        number(
            "Workers",
            "Scraped, and of these ready. Fewer up than deployed: see the process. Up and not ready: "
            "GET /readyz names the condition.",
            units.Short,
            (f"sum({selected('up')})", "up"),
            (f"sum({selected('sigfw_ready')})", "ready"),
        ),
        number(
            "Policy",
            "Name and digest in force. Two entries: workers disagree; reload those that are behind "
            "(refused reloads stand under Policy).",
            units.Short,
            (f"count by (name, digest) ({selected('sigfw_policy_info')})", "{{name}} {{digest}}"),
            names=True,
        ),
        number(
            "Mode",
            "enforce: verdicts count. monitor: everything is allowed, the verdict that enforcing would have given is "
            "in the record's `shadow`. bypass: no rule runs; somebody pulled the switch.",
            units.Short,
            (mode, "{{perimeter}} {{mode}}"),
            width=4,
            names=True,
        ),
        number(
            "Policy loaded",
            "Since when. Older than the change you look for: the change is not in force.",
            units.DateTimeFromNow,
            (f"1000 * min({selected('sigfw_policy_loaded_timestamp_seconds')})", "loaded"),
        ),
        number(
            "Messages",
            "Judged, all workers. 0 with lag: stalled, restart the worker. 0 without lag: nothing comes in, ask the "
            "publisher.",
            units.MessagesPerSecond,
            (total("", "sigfw_messages_total"), "messages"),
        ),
        number(
            "Deny ratio",
            "Dropped, rejected or redirected, of all verdicts. A jump after a policy change is the change: set the "
            "perimeter to monitor and look at the rules. A jump without one is an attack or a broken peer.",
            units.PercentUnit,
            (f"{deny} / clamp_min({every}, 1e-9)", "denied"),
            steps=((0.05, "orange"), (0.2, "red")),
        ),
        number(
            "Lag",
            "Age of the oldest message without a verdict. Above the deadline the enforcement side applies its default "
            "and verdicts come in vain.",
            units.Seconds,
            (f"max({selected('sigfw_consumer_lag_seconds')})", "lag"),
            steps=((0.5, "orange"), (1, "red")),
        ),
        number(
            "Expired",
            "Messages older than the deadline when they were judged. More than 0: add workers, or see what holds "
            "them up (Latency).",
            units.MessagesPerSecond,
            (total("", "sigfw_verdicts_total", 'reason="expired"'), "expired"),
            width=2,
            steps=((0.001, "red"),),
        ),
    ):
        board.with_panel(panel)


def verdicts(board: dashboard.Dashboard) -> None:
    for panel in (
        graph(
            "By action",
            "What became of the messages. hold: segments that wait for the rest.",
            units.MessagesPerSecond,
            (total("action", "sigfw_verdicts_total"), "{{action}}"),
            stacked=True,
        ),
        graph(
            "By reason",
            "Why. rule and default are the policy's; the others are exceptions and failures, with panels below.",
            units.MessagesPerSecond,
            (total("reason", "sigfw_verdicts_total"), "{{reason}}"),
        ),
        graph(
            "Denied by category",
            "Which part of the policy denies. Without a category: an exception or the default did.",
            units.MessagesPerSecond,
            (
                total("category, action", "sigfw_verdicts_total", 'action=~"drop|reject|redirect"'),
                "{{category}} {{action}}",
            ),
        ),
        graph(
            "Would have been denied",
            "What a perimeter in monitor, or a shadow rule, would have denied: the price of switching on. Search the "
            "events topic for ss7.shadow before you do.",
            units.MessagesPerSecond,
            (
                total("action, reason", "sigfw_shadow_verdicts_total", 'action=~"drop|reject|redirect"'),
                "{{action}} {{reason}}",
            ),
        ),
        graph(
            "Messages by perimeter",
            "Where they come from and how they are packed. A perimeter that falls silent is a link or a publisher.",
            units.MessagesPerSecond,
            (total("perimeter, encapsulation", "sigfw_messages_total"), "{{perimeter}} {{encapsulation}}"),
        ),
        bars(
            "Rules matched most",
            "Components that a rule was first to match in the time range, shadow rules too. A shadow rule with "
            "matches from partners you trust is not ready to enforce.",
            units.Short,
            (
                f"topk(15, sum by (rule, mode) (increase({selected('sigfw_rule_matches_total')}[$__range])))",
                "{{rule}} ({{mode}})",
            ),
        ),
        graph(
            "Rules matched",
            "The same over time. A step in one rule: search the events topic for its id, see who calls.",
            units.CountsPerSecond,
            (total("rule, mode", "sigfw_rule_matches_total"), "{{rule}} ({{mode}})"),
        ),
        graph(
            "Exceptions applied",
            "What the policy's `exceptions` decided. unusable_gt or unknown_operation rising: a peer's new habit, or "
            "somebody trying encodings.",
            units.MessagesPerSecond,
            (total("exception, action", "sigfw_exceptions_total"), "{{exception}} {{action}}"),
        ),
        graph(
            "Checks",
            "Checks that said yes, or could not say (unknown counts as no match). unknown rising: fields or state "
            "that a rule needs are missing.",
            units.CountsPerSecond,
            (total("check, outcome", "sigfw_checks_total", 'outcome!="false"'), "{{check}} {{outcome}}"),
        ),
        graph(
            "Operation codes",
            "Components by the form of their opcode. global is rare in roaming traffic, and padded is none of ASN.1's: "
            "a rise is a way round rules being tried.",
            units.CountsPerSecond,
            (total("form", "sigfw_opcode_forms_total"), "{{form}}"),
            (total("", "sigfw_padded_opcodes_total"), "padded"),
        ),
    ):
        board.with_panel(panel)


def decoding(board: dashboard.Dashboard) -> None:
    worst = f"topk(15, sum by (layer, code) (increase({selected('sigfw_decode_errors_total')}[$__range])))"
    for panel in (
        graph(
            "Decode errors by layer",
            "First error of each message. All at once: the encapsulation configured is not what is sent. Slowly at "
            "one layer: a peer's fault, or fuzzing; `sigfw explain` shows a message octet by octet.",
            units.MessagesPerSecond,
            (total("layer", "sigfw_decode_errors_total"), "{{layer}}"),
        ),
        bars(
            "Decode errors by code",
            "The most frequent in the time range, by layer and code.",
            units.Short,
            (worst, "{{layer}}: {{code}}"),
        ),
        graph(
            "Addresses that cannot be looked up",
            "Called and calling GTs by why: digits, numbering plan, nature of address, prefix. Slowly rising: a peer's "
            "address translation, or a sender who hides; `exceptions: unusable_gt` says what happens to them.",
            units.CountsPerSecond,
            (total("why", "sigfw_unusable_gts_total"), "{{why}}"),
        ),
        graph(
            "Not judged as SCCP",
            "not SCCP: ISUP and management on the same links, harmless. unframed: records in which no message was "
            "found, they go to the dead-letter topic. conflicts: link and header disagree on the perimeter; such a "
            "message is judged as international; mend the publisher's headers.",
            units.CountsPerSecond,
            (total("", "sigfw_not_sccp_total"), "not SCCP"),
            (total("", "sigfw_unframed_total"), "unframed"),
            (total("", "sigfw_link_header_conflicts_total"), "conflicts"),
        ),
    ):
        board.with_panel(panel)


def latency(board: dashboard.Dashboard) -> None:
    for panel in (
        graph(
            "Batch",
            "One call into the core. Rising with the message rate is batching at work; rising alone is a starved CPU.",
            units.Seconds,
            *quantiles("sigfw_batch_seconds", "batch"),
        ),
        graph(
            "End to end",
            "From the poll that brought a record to its acknowledged verdict: our own share. High with a low batch "
            "time: the broker is slow to acknowledge.",
            units.Seconds,
            *quantiles("sigfw_end_to_end_seconds", "end to end"),
        ),
        graph(
            "Verdict age",
            "From the record's own time to its acknowledged verdict: what the enforcement side waits. Keep p99 under "
            "its deadline. High with a low end to end: lag, or clocks that differ.",
            units.Seconds,
            *quantiles("sigfw_verdict_age_seconds", "age"),
        ),
        graph(
            "Lag in records",
            "Not judged yet, a partition. One partition only: its publisher's key is hot. All: add workers.",
            units.Short,
            (f"sum by (topic, partition) ({selected('sigfw_consumer_lag_records')})", "{{topic}}/{{partition}}"),
        ),
        graph(
            "Lag in seconds",
            "Age of the oldest message without a verdict, a partition.",
            units.Seconds,
            (f"max by (topic, partition) ({selected('sigfw_consumer_lag_seconds')})", "{{topic}}/{{partition}}"),
        ),
        graph(
            "CPU and memory",
            "Cores used and resident memory of each worker. Near one core a worker is full: add workers. "
            "Memory that climbs for hours is a fault; report it with this panel.",
            units.Short,
            (rate("process_cpu_seconds_total"), "{{instance}} cores"),
            (f"{selected('process_resident_memory_bytes')} / 2^30", "{{instance}} GiB"),
        ),
    ):
        board.with_panel(panel)


def state(board: dashboard.Dashboard) -> None:
    evicted = 'outcome="evicted"'
    for panel in (
        graph(
            "Remembered",
            "Entries of each table. Near its bound (state in the configuration) the oldest make room.",
            units.Short,
            (f"sum by (table) ({selected('sigfw_state_entries')})", "{{table}}"),
        ),
        graph(
            "Pushed out",
            "Entries that made room while they still counted. More than a few: give state more room, or somebody "
            "floods it; checks then say unknown, which matches nothing.",
            units.CountsPerSecond,
            (total("table", "sigfw_state_lookups_total", evicted), "{{table}}"),
        ),
        graph(
            "Shared store",
            "Round trips by what became of them. late, failed or skipped: checks on subscribers say unknown for those "
            "messages; look at the store, then at its network. Nothing: the store is memory.",
            units.CountsPerSecond,
            (total("outcome", "sigfw_store_exchanges_total"), "{{outcome}}"),
        ),
        graph(
            "Store, time waited",
            "Per round trip. Near state.timeout_ms: late ones begin.",
            units.Seconds,
            *quantiles("sigfw_store_seconds", "store"),
        ),
    ):
        board.with_panel(panel)


def upkeep(board: dashboard.Dashboard) -> None:
    reloads = f"sum by (outcome) (increase({selected('sigfw_policy_reloads_total')}[{WINDOW}]))"
    for panel in (
        graph(
            "Segments",
            "SCCP segments: held and final belong together; failed and orphan should be rare, else segments of one "
            "message reach different partitions (key by link or by pair of GTs) or come out of order.",
            units.CountsPerSecond,
            (total("state", "sigfw_segments_total"), "{{state}}"),
        ),
        graph(
            "Reassembly",
            "Waiting for more segments, and ended without. Waiting at its bound: a flood of first segments.",
            units.Short,
            (f"sum({selected('sigfw_reassemblies_in_flight')})", "in flight"),
            (total("reason", "sigfw_reassemblies_ended_total"), "{{reason}} per s"),
        ),
        graph(
            "Events and dead letters",
            "Events to the analysts, those folded in a flood, and records set aside as unframed. Dead letters: read "
            "the error in their headers; usually the publisher's encapsulation.",
            units.CountsPerSecond,
            (total("", "sigfw_events_total"), "events"),
            (total("", "sigfw_events_suppressed_total"), "suppressed"),
            (total("", "sigfw_dead_letters_total"), "dead letters"),
        ),
        graph(
            "Policy reloads",
            "Taken and refused. Refused: the old policy stays; the log names file and line of each mistake.",
            units.Short,
            (reloads, "{{outcome}}"),
            width=12,
        ),
        bars(
            "Lists",
            "Prefixes in each list of the policy. Fewer than yesterday: a feed was cut short.",
            units.Short,
            (f"max by (list) ({selected('sigfw_gt_table_prefixes')})", "{{list}}"),
            width=12,
        ),
    ):
        board.with_panel(panel)


def variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    built = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(query).definition(query)
    built = built.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    return built.multi(True).include_all(True)


def board() -> dashboard.Dashboard:
    built = (
        dashboard.Dashboard("sigfw")
        .uid("sigfw")
        .description("SS7 signalling firewall: health, verdicts, decoding, latency. Metrics: docs/metrics.md")
        .tags(["sigfw", "ss7"])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Source").type("prometheus"))
        .with_variable(variable("job", "Job", "label_values(sigfw_build_info, job)"))
        .with_variable(variable("instance", "Worker", 'label_values(up{job=~"$job"}, instance)'))
    )
    for title, fill in (
        ("Alive, in force, at work", overview),
        ("Verdicts", verdicts),
        ("Decoding", decoding),
        ("Latency and load", latency),
        ("State", state),
        ("Segments, events, policy", upkeep),
    ):
        built.with_row(dashboard.Row(title))
        fill(built)
    return built


def render() -> str:
    built = board().build()
    for place, panel in enumerate(built.panels or (), 1):
        panel.id_val = place  # so that links to a panel last
    return JSONEncoder(sort_keys=True, indent=2).encode(built) + "\n"


if __name__ == "__main__":
    print(render(), end="")
