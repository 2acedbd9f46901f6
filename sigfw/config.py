"""The service's configuration: one YAML file, each single value also by environment (http.port: SIGFW_HTTP_PORT).

KEYS is the one table: the reader, the environment names, the JSON Schema and the test of configs/sigfw.reference.yaml
use it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from sigfw import names
from sigfw.errors import StartError
from sigfw.yamlfile import Mistakes, Node, Reader, read, shown

SCHEMA: Final = 1
MIN_KEY_OCTETS: Final = 16  # of the HMAC key: half of what SHA-256 gives, and beyond guessing
MAKE_KEY: Final = "make one: head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE"
PERIMETERS: Final = tuple(p for p in names.PERIMETERS if p)
SERVICE_MODES: Final = tuple(m for m in names.MODES if m)
BROKER: Final = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}"
COMPRESSIONS: Final = ("none", "gzip", "lz4", "snappy", "zstd")


class Base(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Topic(Base, frozen=True, kw_only=True):
    verdicts: str
    perimeter: str = ""  # none: the record's header, else international
    encapsulation: str = "sccp"  # of records whose header names none
    variant: str = "itu"


class KafkaSource(Base, frozen=True, kw_only=True):
    bootstrap: tuple[str, ...]
    group: str
    topics: dict[str, Topic]
    auto_offset_reset: str = "earliest"
    group_instance_id: str = ""  # none: dynamic membership
    worker: int | None = None  # ordinal from 0, below `workers`: partitions by ordinal, no group


class CaptureSource(Base, frozen=True, kw_only=True):
    path: str
    perimeter: str = "international"
    encapsulation: str = "pcap"
    variant: str = "itu"
    labels: str | None = None


class KafkaSink(Base, frozen=True, kw_only=True):
    events: str
    dead_letters: str
    compression: str | None = None


class FileSink(Base, frozen=True, kw_only=True):
    verdicts: str
    events: str


class Source(Base, frozen=True, kw_only=True):
    """One of both."""

    kafka: KafkaSource | None = None
    capture: CaptureSource | None = None


class Sink(Base, frozen=True, kw_only=True):
    """That of the source's kind."""

    kafka: KafkaSink | None = None
    files: FileSink | None = None


class Identities(Base, frozen=True, kw_only=True):
    pseudonymise: bool = True
    key_file: str | None = None

    def key(self) -> bytes | None:
        """Read the key; None where identities stay in clear. Raises StartError where there is no usable key."""
        if not self.pseudonymise or self.key_file is None:
            return None
        path = Path(self.key_file)
        if path.exists() and not path.is_file():  # /dev/zero never ends
            raise StartError(f"identities.key_file {path} is no regular file; {MAKE_KEY}")
        try:
            key = path.read_bytes().strip()
        except OSError as e:
            raise StartError(f"identities.key_file {self.key_file} cannot be read ({e.strerror}); {MAKE_KEY}") from None
        if len(key) < MIN_KEY_OCTETS:
            raise StartError(f"identities.key_file {self.key_file} has {len(key)} octets, too few; {MAKE_KEY}")
        return key


class Events(Base, frozen=True, kw_only=True):
    octets: bool = False  # of the message, clear


class State(Base, frozen=True, kw_only=True):
    store: Literal["memory", "redis"] = "memory"
    url: str = ""
    timeout_ms: int = 5
    subscribers: int = 250_000
    dialogues: int = 262_144
    callers: int = 16_384


class Http(Base, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: int = 9464


class Config(Base, frozen=True, kw_only=True):
    """Paths are resolved: policy, capture, labels and key file against the configuration file's folder."""

    policy: str
    mode: dict[str, str]  # every perimeter
    source: Source
    sink: Sink
    verdicts: str = "json"
    workers: int = 1
    identities: Identities = Identities()
    events: Events = Events()
    state: State = State()
    deadline_ms: int = 1000
    reload_seconds: int = 2
    http: Http = Http()


class Key(msgspec.Struct, frozen=True):
    """A single value.

    path: with dots, `*` for a name of the user's choice. beside: a path relative to the configuration's folder.
    """

    path: str
    help: str
    kind: Literal["text", "texts", "number", "flag", "word"] = "text"
    default: Any = None
    required: bool = False  # within its section, where that stands
    words: tuple[str, ...] = ()
    unbuilt: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    beside: bool = False

    @property
    def environment(self) -> str:
        """Name of the variable that overrides it; "" under a name of the user's choice."""
        return "" if "*" in self.path else "SIGFW_" + self.path.replace(".", "_").upper()


_TOPIC = "source.kafka.topics.*"
_VARIANT: Final[dict[str, Any]] = {
    "help": "dialect of MTP's label and of SCCP",
    "kind": "word",
    "default": "itu",
    "words": names.VARIANTS[1:],
    "unbuilt": names.UNBUILT_VARIANTS,
}
KEYS: Final = (
    Key("schema", "version of this file's language", "number", required=True, low=SCHEMA, high=SCHEMA),
    Key("policy", "the policy", required=True, beside=True),
    *(Key(f"mode.{p}", "what the service does there", "word", "monitor", words=SERVICE_MODES) for p in PERIMETERS),
    Key("source.kafka.bootstrap", "brokers, host:port", "texts", required=True),
    Key("source.kafka.group", "consumer group", required=True),
    Key(f"{_TOPIC}.verdicts", "topic of its verdicts", required=True),
    Key(f"{_TOPIC}.perimeter", "side its messages come from", "word", "", words=PERIMETERS),
    Key(f"{_TOPIC}.encapsulation", "form of its records", "word", "sccp", words=names.ENCAPSULATIONS[1:]),
    Key(f"{_TOPIC}.variant", **_VARIANT),
    Key("source.kafka.auto_offset_reset", "where a new group begins", "word", "earliest", words=("earliest", "latest")),
    Key("source.kafka.group_instance_id", "static membership: a name of this worker", default=""),
    Key("source.kafka.worker", "partitions by ordinal, without a group", "number", high=1023),
    Key("source.capture.path", "capture to judge", required=True, beside=True),
    Key("source.capture.perimeter", "side its messages come from", "word", "international", words=PERIMETERS),
    Key("source.capture.encapsulation", "form of the file", "word", "pcap", words=("pcap",)),
    Key("source.capture.variant", **_VARIANT),
    Key("source.capture.labels", "what each message of the capture is, for the table at the end", beside=True),
    Key("sink.kafka.events", "topic of events", required=True),
    Key("sink.kafka.dead_letters", "topic of what could not be framed", required=True),
    Key("sink.kafka.compression", "of what is produced", "word", words=COMPRESSIONS),
    Key("sink.files.verdicts", "file of verdicts, JSON Lines", required=True),
    Key("sink.files.events", "file of events, JSON Lines", required=True),
    Key("verdicts", "form of verdict records", "word", "json", words=("json", "packed")),
    Key("workers", "worker processes of this deployment", "number", 1, low=1, high=1024),
    Key("identities.pseudonymise", "keyed pseudonyms in place of identities", "flag", True),
    Key("identities.key_file", "their key", beside=True),
    Key("events.octets", "the octets of its message in each event, identities in clear", "flag", False),
    Key("state.store", "where checks on subscribers remember", "word", "memory", words=("memory", "redis")),
    Key("state.url", "address of the store", default=""),
    Key("state.timeout_ms", "how long one batch waits for the store", "number", 5, low=1, high=1000),
    Key("state.subscribers", "subscribers remembered", "number", 250_000, low=1_000, high=100_000_000),
    Key("state.dialogues", "dialogues open at a time", "number", 262_144, low=1_000, high=10_000_000),
    Key("state.callers", "calling GTs counted at a time", "number", 16_384, low=1_000, high=1_000_000),
    Key("deadline_ms", "age from which a message is expired; 0: never", "number", 1000, high=86_400_000),
    Key("reload_seconds", "between looks for changed files; 0: SIGHUP alone", "number", 2, high=3600),
    Key("http.host", "address of /metrics, /livez, /readyz", default="127.0.0.1"),
    Key("http.port", "port of them; 0: any free one", "number", 9464, high=65535),
)
_BY_PATH: Final = {key.path: key for key in KEYS}


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read the configuration. environment: os.environ where left out.

    Raises ConfigError with every mistake, `file:line: what is wrong; what to do` (an environment variable stands in
    place of the file).
    """
    mistakes = Mistakes()
    loader = _Loader(Path(path), mistakes)
    config = loader.load(os.environ if environment is None else environment)
    mistakes.end()
    return config


class _Loader(Reader):
    def __init__(self, path: Path, mistakes: Mistakes) -> None:
        super().__init__(mistakes)
        self.path = path
        self.values: dict[str, Any] = {}  # by path, the user's names in place of *
        self.sections: dict[str, Node] = {}

    def load(self, environment: Mapping[str, str]) -> Config:
        top = read(self.path, self.mistakes)
        if top is not None:
            self._section(top, "", "")
            self._environment(environment)
            self._required(top)
        self.mistakes.end()
        self._consistent()
        self.mistakes.end()
        return self._config()

    # -- from nodes to values ------------------------------------------------------------------------------------------

    def _section(self, node: Node, prefix: str, shape: str) -> None:
        """Read a mapping. prefix: its path with dots; shape: the same with * for the user's names."""
        what = f"`{prefix.rstrip('.').replace('/', '.')}`" if prefix else "the configuration"
        children = dict.fromkeys(k.path[len(shape) :].partition(".")[0] for k in KEYS if k.path.startswith(shape))
        self.sections[prefix.rstrip(".")] = node
        if "*" in children:
            for key, value in self.mapping(node, what):
                if (
                    self.text(key, "a topic's name", r"[A-Za-z0-9._-]{1,249}", "write a name that Kafka allows")
                    is not None
                ):
                    # A dot may stand in a topic's name: a slash keeps it from being taken for a path.
                    self._section(value, f"{prefix}{key.text.replace('.', '/')}.", f"{shape}*.")
            return
        for name, value in self.fields(node, what, children).items():
            key_ = _BY_PATH.get(shape + name)
            if key_ is None:
                self._section(value, f"{prefix}{name}.", f"{shape}{name}.")
            else:
                self._value(key_, prefix + name, value, self.path.parent)

    def _value(self, key: Key, path: str, node: Node, base: Path) -> None:
        value: Any = None
        name = path.replace("/", ".")  # a topic's own dots
        if key.kind == "number":
            value = self.integer(node, name, key.low, key.high)
        elif key.kind == "flag":
            value = self.boolean(node, name)
        elif key.kind == "word":
            value = self.choice(node, name, key.words, key.unbuilt)
        elif key.kind == "texts":
            texts = [self._broker(n, name) for n in self.one_or_more(node)]
            if not texts:
                self.mistakes.at(node, f"{name} is empty; write at least one")
            value = tuple(t for t in texts if t is not None)
        else:
            value = self.text(node, name, r"[^\0\r\n]+", "write a text on one line")
            if value is not None and key.beside:
                value = str(base / value)
        if value is not None:
            self.values[path] = value
            self.sections[path] = node

    def _broker(self, node: Node, path: str) -> str | None:
        text = self.text(node, path, BROKER, "write host:port, as 127.0.0.1:9092 or [::1]:9092")
        if text is not None and not 1 <= int(text.rpartition(":")[2]) <= 65535:
            self.mistakes.at(node, f"{path} {shown(text)} is not usable; write a port from 1 to 65535")
            return None
        return text

    def _environment(self, environment: Mapping[str, str]) -> None:
        for key in KEYS:
            if not key.environment or key.environment not in environment:
                continue
            node = Node("scalar", key.environment, 1, environment[key.environment])
            if key.kind == "texts":
                parts = [Node("scalar", key.environment, 1, part.strip()) for part in node.text.split(",")]
                node = Node("list", key.environment, 1, parts)
            self._value(key, key.path, node, Path())  # a path in the environment: relative to the working directory
            above = key.path.rpartition(".")[0]
            while above and above not in self.sections:
                self.sections[above] = node
                above = above.rpartition(".")[0]

    def _required(self, top: Node) -> None:
        self.sections[""] = top
        for section in ("source", "sink"):
            choices = {"source": ("kafka", "capture"), "sink": ("kafka", "files")}[section]
            given = [c for c in choices if f"{section}.{c}" in self.sections]
            if len(given) != 1:
                at = self.sections.get(section, top)
                said = "names both" if given else "names none"
                self.mistakes.at(at, f"`{section}` {said} of {' and '.join(choices)}; write one of them")
        topics = self.sections.get("source.kafka.topics")
        if "source.kafka" in self.sections and (topics is None or not topics.pairs):
            at = topics or self.sections["source.kafka"]
            self.mistakes.at(at, "`source.kafka` has no `topics`; write topics: {ss7.in: {verdicts: ss7.verdicts}}")
        for key in KEYS:
            if key.required:
                shape, _, name = key.path.rpartition(".")
                for prefix in self._sections_of(shape):
                    path = f"{prefix}.{name}" if prefix else name
                    if path not in self.values and path not in self.sections and not self._mistaken(prefix, name):
                        what = f"`{prefix.replace('/', '.')}`" if prefix else "the configuration"
                        self.mistakes.at(self.sections[prefix], f"{what} has no `{name}` ({key.help}); add it")

    def _sections_of(self, shape: str) -> list[str]:
        if not shape.endswith("*"):
            return [shape] if shape in self.sections else []
        above = shape[:-1]
        return [p for p in self.sections if p.startswith(above) and "." not in p[len(above) :]]

    def _mistaken(self, prefix: str, name: str) -> bool:
        """Whether the key stands there with a value that was refused already."""
        return any(key.text == name for key, _ in self.sections[prefix].pairs)

    # -- what must fit together ----------------------------------------------------------------------------------------

    def _consistent(self) -> None:
        if self._get("identities.pseudonymise") and not self._get("identities.key_file"):
            at = self.sections.get("identities", self.sections[""])
            self.mistakes.at(at, f"pseudonymise is on without `identities.key_file`; {MAKE_KEY}; and name it there")
        if self._get("state.store") == "redis" and not self._get("state.url"):
            self.mistakes.at(
                self.sections["state.store"], "the redis store has no `state.url`; write url: redis://host:6379/0"
            )
        if ("source.kafka" in self.sections) != ("sink.kafka" in self.sections):
            wanted = "kafka" if "source.kafka" in self.sections else "files"
            self.mistakes.at(
                self.sections["sink"], f"the sink is not of the source's kind; write sink: {{{wanted}: …}}"
            )
        else:
            self._apart()
        worker = self._get("source.kafka.worker")
        if worker is not None and worker >= self._get("workers"):
            told = f"worker {worker} is not below workers, {self._get('workers')}; they count from 0"
            self.mistakes.at(self.sections["source.kafka.worker"], told)
        if "source.capture" in self.sections and self._get("verdicts") == "packed":
            at = self.sections["verdicts"]
            self.mistakes.at(at, "files take verdicts as JSON Lines; write verdicts: json, or judge from Kafka")

    def _apart(self) -> None:
        """What is written has a place of its own: a topic that is read as well would feed the worker its own output."""
        inputs = {p: p.rpartition(".")[2].replace("/", ".") for p in self._sections_of(_TOPIC)}
        used = dict.fromkeys(inputs.values(), "is an input topic")
        outputs = [f"{p}.verdicts" for p in inputs]
        outputs += [f"sink.{k}" for k in ("kafka.events", "kafka.dead_letters", "files.verdicts", "files.events")]
        for path in outputs:
            place = self.values.get(path)
            if place in used:
                at = self.sections[path]
                self.mistakes.at(at, f"{shown(place)} {used[place]} already; write another for each")
            elif place is not None:
                used[place] = f"is `{path.replace('/', '.')}`"

    def _get(self, path: str) -> Any:
        return self.values.get(path, _BY_PATH[path].default)

    def _part(self, section: str, shape: str = "") -> dict[str, Any]:
        """Values of a section, by name, where they are given."""
        prefix = section + "."
        given = {path[len(prefix) :]: value for path, value in self.values.items() if path.startswith(prefix)}
        return {name: value for name, value in given.items() if "." not in name}

    def _config(self) -> Config:
        kafka = capture = kafka_sink = files = None
        if "source.kafka" in self.sections:
            found = self._sections_of(_TOPIC)
            topics = {p.rpartition(".")[2].replace("/", "."): Topic(**self._part(p)) for p in found}
            kafka = KafkaSource(topics=topics, **self._part("source.kafka"))
            sink = self._part("sink.kafka")
            if sink.get("compression") == "none":
                del sink["compression"]
            kafka_sink = KafkaSink(**sink)
        else:
            capture = CaptureSource(**self._part("source.capture"))
            files = FileSink(**self._part("sink.files"))
        single = {name: self._get(name) for name in ("policy", "verdicts", "workers", "deadline_ms", "reload_seconds")}
        return Config(
            **single,
            mode={p: self._get(f"mode.{p}") for p in PERIMETERS},
            source=Source(kafka=kafka, capture=capture),
            sink=Sink(kafka=kafka_sink, files=files),
            identities=Identities(**self._part("identities")),
            events=Events(**self._part("events")),
            state=State(**self._part("state")),
            http=Http(**self._part("http")),
        )


def schema() -> dict[str, object]:
    """JSON Schema of the configuration file, for editors. `load` checks more than it can say."""
    top: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sigfw configuration",
        "type": "object",
    }
    for key in KEYS:
        node = top
        *sections, name = key.path.split(".")
        for section in sections:
            if section == "*":
                node = node.setdefault("additionalProperties", {"type": "object"})
            else:
                node = node.setdefault("properties", {}).setdefault(section, {"type": "object"})
        node.setdefault("properties", {})[name] = _shape(key)
        if key.required:
            node.setdefault("required", []).append(name)
    _close(top)
    return top


def _shape(key: Key) -> dict[str, object]:
    shape: dict[str, object] = {"description": key.help}
    if key.kind == "number":
        shape |= {"type": "integer", "minimum": key.low, "maximum": key.high}
    elif key.kind == "flag":
        shape["type"] = "boolean"
    elif key.kind == "word":
        shape["enum"] = list(key.words)
    elif key.kind == "texts":
        shape["anyOf"] = [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    else:
        shape["type"] = "string"
    if key.default not in (None, ""):
        shape["default"] = key.default
    return shape


def _close(node: dict[str, Any]) -> None:
    """Refuse keys that are not named, as the reader does."""
    if node.get("type") == "object":
        node.setdefault("additionalProperties", False)
        for child in (*node.get("properties", {}).values(), node["additionalProperties"]):
            if isinstance(child, dict):
                _close(child)
