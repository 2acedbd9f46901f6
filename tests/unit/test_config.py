# ruff: noqa: E501 - a row of the tables is a mistake and its message
"""The service's configuration: its reference is true, and every wrong value is one line with its place."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sigfw import config
from sigfw.config import KEYS, Config, Key, load
from sigfw.errors import ConfigError, StartError

REFERENCE = Path(__file__).parents[2] / "configs" / "sigfw.reference.yaml"
CAPTURE = """\
schema: 1
policy: p.yaml
source: {capture: {path: c.pcap}}
sink: {files: {verdicts: v.jsonl, events: e.jsonl}}
identities: {pseudonymise: false}
"""
KAFKA = """\
schema: 1
policy: p.yaml
source: {kafka: {bootstrap: "h:1", group: g, topics: {t: {verdicts: v}}}}
sink: {kafka: {events: e, dead_letters: d}}
identities: {pseudonymise: false}
"""


def read(folder: Path, text: str, **environment: str) -> Config:
    (folder / "c.yaml").write_text(text)
    return load(folder / "c.yaml", environment)


def mistakes(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(folder, text, **environment)
    return [line.replace(f"{folder}/", "") for line in raised.value.mistakes]


def sections(*, capture: bool) -> dict[str, Any]:
    """A configuration as YAML reads it, complete."""
    found: dict[str, Any] = yaml.safe_load(CAPTURE if capture else KAFKA)
    return found


def put(found: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    *above, name = path.replace("*", "t").split(".")
    at = found
    for key in above:
        at = at.setdefault(key, {})
    at[name] = value
    return found


def with_value(key: Key, value: object) -> dict[str, Any]:
    capture = key.path.startswith(("source.capture", "sink.files"))
    return put(sections(capture=capture), key.path, value)


# The reference --------------------------------------------------------------------------------------------------------


def test_reference_shows_the_defaults(tmp_path: Path) -> None:
    written = yaml.safe_load(REFERENCE.read_text())
    least = sections(capture=False)
    least["policy"] = str(REFERENCE.parent / written["policy"])
    kafka = written["source"]["kafka"]
    topics = {"ss7.in": {"verdicts": "ss7.verdicts"}}
    least["source"]["kafka"] = {"bootstrap": kafka["bootstrap"], "group": kafka["group"], "topics": topics}
    least["sink"]["kafka"] = {name: written["sink"]["kafka"][name] for name in ("events", "dead_letters")}
    least["identities"] = {"key_file": written["identities"]["key_file"]}
    assert load(REFERENCE, {}) == read(tmp_path, yaml.safe_dump(least))


def test_reference_names_every_key_and_every_variable() -> None:
    text = REFERENCE.read_text()
    for key in KEYS:
        assert re.search(rf"^[ #]*{key.path.rpartition('.')[2]}:|[{{ ]{key.path.rpartition('.')[2]}:", text, re.M), (
            key.path
        )
        if key.environment:
            assert re.search(rf"\b{key.environment}\b", text), key.environment
    variables = {key.environment for key in KEYS}
    assert set(re.findall(r"\bSIGFW_\w+", text)) <= variables


def test_reference_satisfies_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(config.schema())
    jsonschema.validate(yaml.safe_load(REFERENCE.read_text()), config.schema())


# Wrong values ---------------------------------------------------------------------------------------------------------

WRONG: dict[str, object] = {"number": "many", "flag": "on", "word": "perhaps", "text": ["a"], "texts": "no port"}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_wrong_value_is_one_line_with_file_and_line(tmp_path: Path, key: Key) -> None:
    text = yaml.safe_dump(with_value(key, WRONG[key.kind]), sort_keys=False)
    name = key.path.rpartition(".")[2]
    line = next(
        n for n, one in enumerate(text.splitlines(), 1) if re.search(rf"\b{name}: *('?{WRONG[key.kind]}|$)", one)
    )
    (told,) = mistakes(tmp_path, text)
    assert re.match(rf"c\.yaml:({line}|{line + 1}): {re.escape(key.path.replace('*', 't'))} ", told)
    assert "; write " in told or "; known: " in told or "; did you mean " in told


@pytest.mark.parametrize("key", [key for key in KEYS if key.environment], ids=lambda key: key.path)
def test_wrong_variable_is_one_line_with_its_name(tmp_path: Path, key: Key) -> None:
    wrong = "" if key.kind == "text" else str(WRONG[key.kind])
    text = CAPTURE if key.path.startswith(("source.capture", "sink.files")) else KAFKA
    told = mistakes(tmp_path, text, **{key.environment: wrong})
    assert [line for line in told if line.startswith(f"{key.environment}:1: {key.path} ")] == told


@pytest.mark.parametrize("key", [key for key in KEYS if key.required], ids=lambda key: key.path)
def test_missing_value_is_named(tmp_path: Path, key: Key) -> None:
    found = with_value(key, None)
    *above, name = key.path.replace("*", "t").split(".")
    at = found
    for section in above:
        at = at[section]
    del at[name]
    at["verdict"] = "x"
    told = mistakes(tmp_path, yaml.safe_dump(found))
    assert len([line for line in told if f"has no `{name}` (" in line]) == 1


ODD = {
    "port above": (CAPTURE + "http: {port: 65536}\n", '6: http.port "65536" is not usable; write a number from 0 to 65535'),
    "another schema": (CAPTURE.replace("schema: 1", "schema: 2"), '1: schema "2" is not usable; write 1'),
    "unknown key": (CAPTURE + "htpp: {}\n", '6: unknown key "htpp" in the configuration; did you mean http?'),
    "pseudonyms without a key": (CAPTURE.replace("false", "true"), "5: pseudonymise is on without `identities.key_file`; make"),
    "redis without url": (CAPTURE + "state: {store: redis}\n", "6: the redis store has no `state.url`; write url: redis://"),
    "packed files": (CAPTURE + "verdicts: packed\n", "6: files take verdicts as JSON Lines; write verdicts: json, or"),
    "another kind of sink": (
        KAFKA.split("sink")[0] + "sink: {files: {verdicts: v, events: e}}\n" + KAFKA.splitlines()[-1],
        "4: the sink is not of the source's kind; write sink: {kafka: …}",
    ),
    "no topics": (KAFKA.replace("{t: {verdicts: v}}", "{}"), "3: `source.kafka` has no `topics`; write topics: {"),
    "a topic no Kafka allows": (KAFKA.replace("{t:", '{"a b":'), '3: a topic\'s name "a b" is not usable; write a name'),
    "a topic with dots": (KAFKA.replace("{t: {", "{a.b: {x: 1, "), '3: unknown key "x" in `source.kafka.topics.a.b`; '),
    "worker beyond workers": (KAFKA.replace("group: g", "group: g, worker: 1"), "3: worker 1 is not below workers, 1; they"),
    "broker without port": (KAFKA.replace("h:1", "h"), '3: source.kafka.bootstrap "h" is not usable; write host:port'),
    "broker's port a word": (KAFKA.replace("h:1", "h:x"), '3: source.kafka.bootstrap "h:x" is not usable; write host:port'),
    "broker's port above": (KAFKA.replace("h:1", "h:70000"), '3: source.kafka.bootstrap "h:70000" is not usable; write a port'),
    "verdicts fed back": (KAFKA.replace("verdicts: v", "verdicts: t"), '3: "t" is an input topic already; write another'),
    "events among verdicts": (KAFKA.replace("events: e", "events: v"), '4: "v" is `source.kafka.topics.t.verdicts` already'),
    "one file": (CAPTURE.replace("e.jsonl", "v.jsonl"), '4: "v.jsonl" is `sink.files.verdicts` already; write another'),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), ODD.values(), ids=ODD)
def test_what_does_not_fit_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1, found
    assert found[0].startswith(f"c.yaml:{told}")


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    told = mistakes(tmp_path, CAPTURE + "workers: 0\nmode: {national: on}\n", SIGFW_HTTP_PORT="x")
    assert {line.split(" ")[0] for line in told} == {"SIGFW_HTTP_PORT:1:", "c.yaml:6:", "c.yaml:7:"}


# What comes out -------------------------------------------------------------------------------------------------------


def test_mode_left_out_is_monitor(tmp_path: Path) -> None:
    assert read(tmp_path, CAPTURE + "mode: {national: enforce}\n").mode == {
        "international": "monitor",
        "national": "enforce",
        "internal": "monitor",
    }


def test_environment_comes_before_the_file(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        KAFKA + "http: {port: 1}\n",
        SIGFW_HTTP_PORT="2",
        SIGFW_MODE_INTERNAL="bypass",
        SIGFW_SOURCE_KAFKA_BOOTSTRAP="a:1, [::1]:2",
        SIGFW_IDENTITIES_PSEUDONYMISE="true",
        SIGFW_IDENTITIES_KEY_FILE="k",
    )
    assert found.http.port == 2
    assert found.mode["internal"] == "bypass"
    assert found.source.kafka is not None
    assert found.source.kafka.bootstrap == ("a:1", "[::1]:2")
    assert found.identities == config.Identities(pseudonymise=True, key_file="k")


def test_paths_are_beside_the_file_but_outputs_and_variables(tmp_path: Path) -> None:
    found = read(tmp_path, CAPTURE.replace("c.pcap", "c.pcap, labels: l.csv"), SIGFW_POLICY="q.yaml")
    assert found.policy == "q.yaml"
    assert found.source.capture is not None
    assert (found.source.capture.path, found.source.capture.labels) == (f"{tmp_path}/c.pcap", f"{tmp_path}/l.csv")
    assert found.sink.files == config.FileSink(verdicts="v.jsonl", events="e.jsonl")
    assert read(tmp_path, CAPTURE.replace("p.yaml", "/abs/p.yaml")).policy == "/abs/p.yaml"


def test_key_that_is_short_or_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(b" 15 octets only\n")
    for name, told in (
        ("k", "has 14 octets, too few; make one"),
        ("none", "cannot be read (No such file or directory)"),
        ("/dev/zero", "key_file /dev/zero is no regular file"),
    ):
        text = CAPTURE.replace("{pseudonymise: false}", f"{{key_file: {name}}}")
        with pytest.raises(StartError, match=re.escape(told)):
            read(tmp_path, text).identities.key()
    (tmp_path / "k").write_bytes(b"sixteen octets !\n")
    text = CAPTURE.replace("{pseudonymise: false}", "{key_file: k}")
    assert read(tmp_path, text).identities.key() == b"sixteen octets !"
