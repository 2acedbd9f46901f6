"""Files that change under the service: taken once they are whole, by whatever way they were written."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from sigfw._core.engine import Worker
from sigfw.errors import ConfigError
from sigfw.pipeline.build import load_rules
from sigfw.pipeline.changes import Changes
from sigfw.pipeline.worker import Service
from sigfw.telemetry.http import Health
from sigfw.telemetry.metrics import Metrics

CONFIG = """\
schema: 1
policy: p.yaml
mode: {international: monitor}
source: {capture: {path: c.pcap}}
sink: {files: {verdicts: v.jsonl, events: e.jsonl}}
identities: {pseudonymise: false}
"""
POLICY = """\
schema: 1
name: watched
include: lists.yaml
home: {country_code: "44"}
rules: [{id: blocked, when: {calling.gt: {in: blocked}}, action: drop}]
"""
LISTS = "lists: {blocked: {kind: gt, file: blocked.csv}}\n"


def old(path: Path) -> None:
    """As if written a while ago."""
    then = time.time_ns() - 10**10
    os.utime(path, ns=(then, then))


def write(path: Path, text: str) -> None:
    path.write_text(text)


def rename(path: Path, text: str) -> None:
    """As editors do: a new file in its place, of the same size and time as the old one."""
    before = path.stat()
    new = path.with_suffix(".new")
    new.write_text(text)
    os.utime(new, ns=(before.st_mtime_ns, before.st_mtime_ns))
    new.rename(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("c.yaml", CONFIG), ("p.yaml", POLICY), ("lists.yaml", LISTS), ("blocked.csv", "9994\n")):
        (tmp_path / name).write_text(text)
        old(tmp_path / name)
    return tmp_path


@pytest.fixture
def service(folder: Path) -> Service:
    return Service(Worker(), lambda: load_rules(folder / "c.yaml"), Metrics(dict), Health())


async def look(service: Service, times: int = 2) -> list[dict[str, object]]:
    with structlog.testing.capture_logs() as lines:
        for _ in range(times):
            await service._look()
    return lines  # type: ignore[return-value]


@pytest.mark.parametrize("way", [write, rename])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.yaml", POLICY.replace("drop", "allow")),
        ("lists.yaml", LISTS.replace("}}", ", entries: ['42']}}")),
        ("blocked.csv", "9995\n"),
    ],
)
async def test_change_of_any_file_is_taken_at_the_second_look(
    service: Service, folder: Path, way: Callable[[Path, str], None], name: str, text: str
) -> None:
    before = service._rules.tables.digest
    assert await look(service, 3) == []
    way(folder / name, text)
    assert await look(service, 1) == []
    (told,) = await look(service, 1)
    assert (told["event"], told["reason"]) == ("policy_loaded", f"{folder / name} changed")
    assert service._rules.tables.digest != before
    assert await look(service, 3) == []


async def test_file_that_is_still_written_is_waited_for(service: Service, folder: Path) -> None:
    for n in range(1, 4):
        write(folder / "blocked.csv", "9995\n" * n)
        assert await look(service, 1) == []
    assert len(await look(service, 1)) == 1


async def test_mode_is_told_with_what_it_was_and_why(service: Service, folder: Path) -> None:
    write(folder / "c.yaml", CONFIG.replace("monitor", "enforce"))
    _, told = await look(service)
    assert told["event"] == "mode_changed"
    assert (told["perimeter"], told["mode"]) == ("international", "enforce")
    assert told["reason"] == f"was monitor; {folder / 'c.yaml'} changed"
    assert service._rules.modes["international"] == "enforce"
    modes = {tuple(sample.labels.values()): sample.value for family in service.metrics.collect()
             for sample in family.samples if sample.name == "sigfw_mode"}  # fmt: skip
    assert modes["international", "enforce"] == 1


async def test_mistake_leaves_the_old_rules_until_it_is_mended_where_it_is(service: Service, folder: Path) -> None:
    before = service._rules
    write(folder / "p.yaml", POLICY.replace("lists.yaml", "[lists.yaml, more.yaml]"))
    write(folder / "more.yaml", "rules: [{id: more, when: {}, action: dropp}]\n")
    old(folder / "more.yaml")
    told, kept = await look(service)
    assert told["event"] == "policy_refused"
    assert kept["event"] == "policy_kept"
    assert str(kept["reason"]).endswith("changed: the old one decides on")
    assert f"{folder / 'more.yaml'}:1" in str(told["reason"])
    assert service._rules is before
    assert await look(service, 3) == []  # said once
    write(folder / "more.yaml", "rules: [{id: more, when: {}, action: drop}]\n")
    (told,) = await look(service)
    assert told["event"] == "policy_loaded"
    assert service._rules.tables.rule_ids[1:] == ("more", "blocked")


async def test_file_that_goes_and_comes_back(service: Service, folder: Path) -> None:
    before = service._rules
    (folder / "blocked.csv").unlink()
    told, kept = await look(service)
    assert told["event"] == "policy_refused"
    assert kept["event"] == "policy_kept"
    assert str(kept["reason"]).endswith("changed: the old one decides on")
    assert service._rules is before
    write(folder / "blocked.csv", "9995\n")
    (told,) = await look(service)
    assert told["event"] == "policy_loaded"


async def test_signal_takes_what_a_look_would_have_found(service: Service, folder: Path) -> None:
    write(folder / "p.yaml", POLICY.replace("drop", "allow"))
    with structlog.testing.capture_logs() as lines:
        service._hup()
        await asyncio.gather(*service._reloads)
    assert [line["reason"] for line in lines] == ["SIGHUP"]
    assert await look(service, 3) == []


def test_what_is_written_while_it_is_read_is_a_change(folder: Path) -> None:
    changes = Changes()
    changes.begin()
    write(folder / "p.yaml", POLICY)
    changes.end([str(folder / "p.yaml")], all_known=True)
    assert [changes.look(), changes.look()] == [[], [str(folder / "p.yaml")]]


def test_link_set_anew_is_a_change(folder: Path) -> None:
    """As a volume of Kubernetes is updated."""
    (folder / "link").symlink_to(folder / "p.yaml")
    changes = Changes()
    changes.end([str(folder / "link")], all_known=True)
    (folder / "other").symlink_to(folder / "lists.yaml")
    (folder / "other").rename(folder / "link")
    assert [changes.look(), changes.look()] == [[], [str(folder / "link")]]


def test_refusal_names_the_files_that_were_read(folder: Path) -> None:
    write(folder / "blocked.csv", "+44\n")
    with pytest.raises(ConfigError) as raised:
        load_rules(folder / "c.yaml")
    assert {Path(file).name for file in raised.value.files} == {"p.yaml", "lists.yaml", "blocked.csv"}
