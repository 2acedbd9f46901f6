"""The command line as people meet it: the status of every command, and errors of one line."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import orjson
import pytest

from sigfw import __version__
from sigfw.cli import COMMANDS
from sigfw.errors import RunError

ROOT = Path(__file__).parents[2]
CAPTURE = "tests/captures/pcapr_LU.pcap"
POLICY = "configs/policies/interconnect.yaml"
CORPUS = "configs/demo/corpus.pcap.gz"


def sigfw(*arguments: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sigfw", *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60)


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, str]:
    """Files that are wrong, by name."""
    files = {
        "policy": "schema: 1\nname: x\nrulez: []\n",
        "lint": "schema: 1\nname: x\nrules: [{id: a, when: {}, action: allow, final: true}]\n",
        "config": "schema: 1\n",
        "capture": "nothing like it",
        "key": "short",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    return {**{name: str(tmp_path / name) for name in files}, "none": str(tmp_path / "none"), "folder": str(tmp_path)}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("decode {c}", "updateLocation"),
        ("decode {c} --format jsonl", '"operation":"updateLocation"'),
        ("decode {c} --format jsonl --pseudonymise", "hmac:"),
        ("screen {c} --policy {p}", "updateLocation"),
        ("screen {c} --policy {p} --perimeter national --format jsonl", '"perimeter":"national"'),
        ("screen {c} --policy {p} --format tsv", "frame\tindex\taction\treason\trule\tsccp\tcalled\t"),
        ("explain {c}#1 --policy {p}", "rules tried on component 0"),
        ("explain {c}#1.0 --policy {p} --perimeter internal", "perimeter internal"),
        ("policy check {p} configs/policies/sample.yaml", "configs/policies/sample.yaml: ok: sample "),
        ("policy test configs/policies/sample.yaml", "configs/policies/sample.yaml: ok: "),
        ("policy show {p}", "list      partner-gsmscf, gt, 6 prefixes"),
        ("gt lookup 447700900123 --policy {p}", "prefix    4477009\nlists     home"),
        ("gt lookup 00101123 --space e212 --policy {p}", "prefix    00101"),
        ("--version", f"sigfw {__version__}"),
        ("--help", "\n  explain "),
        ("policy --help", "\n  check "),
    ],
)
def test_command_ends_with_status_0(command: str, said: str) -> None:
    done = sigfw(*command.format(c=CAPTURE, p=POLICY).split())
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_command_helps_itself(name: str) -> None:
    done = sigfw(name, "-h")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: sigfw {name} ")


@pytest.mark.parametrize("name", ["verdict", "event", "policy", "config"])
def test_schema_is_a_json_schema(name: str) -> None:
    done = sigfw("schema", name)
    assert done.returncode == 0
    schema = orjson.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"].startswith("sigfw ")


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("gt lookup 99 --policy {p}", 1, "99: no prefix of configs/policies/interconnect.yaml matches"),
        ("policy check {lint}", 1, "{lint}:3: `final` on the allow a hides the later deny rules"),
        ("policy check {policy}", 2, '{policy}:3: unknown key "rulez" in the policy; did you mean rules?'),
        ("policy check {none}", 2, "{none}:1: {none} cannot be read (No such file or directory); check"),
        ("policy check {folder}", 2, "{folder}:1: {folder} cannot be read (Is a directory); check"),
        ("policy test {p} --cases {none}", 2, "{none}: there are no cases; write them there, or"),
        ("policy test {policy}", 2, '{policy}:3: unknown key "rulez"'),
        ("policy show {policy}", 2, "{policy}:3: unknown key"),
        ("policy bogus", 2, "No such command 'bogus'; see: sigfw policy --help"),
        ("gt lookup +44 --policy {p}", 2, '"+44" holds characters that are no digits; write 44'),
        ("gt lookup 4477009001234567x --policy {p}", 2, '"4477009001234567x" holds characters that are no digits'),
        ("gt lookup 44", 2, "Missing option '--policy'; see: sigfw gt lookup --help"),
        ("gt lookup 44 --policy {policy}", 2, "{policy}:3: unknown key"),
        ("decode {none}", 2, "{none}: No such file or directory; "),
        ("decode {folder}", 2, "{folder}: not a regular file; "),
        ("decode {capture}", 2, "{capture}: "),
        ("decode {c} --pseudonymise --key-file {key}", 2, "{key}: 5 octets are no key; give at least 16"),
        ("decode {c} --format xml", 2, "Invalid value for '--format'"),
        ("decode", 2, "Missing argument 'CAPTURE'; see: sigfw decode --help"),
        ("screen {c} --policy {policy}", 2, "{policy}:3: unknown key"),
        ("screen {none} --policy {p}", 2, "{none}: No such file or directory; "),
        ("explain zz --policy {p}", 2, "'zz': neither hex digits in pairs nor CAPTURE#FRAME"),
        ("explain {c}#99999 --policy {p}", 2, "{c}#99999: no SCCP message there; "),
        ("explain {c}#x --policy {p}", 2, "{c}#x: `x` is no frame; write"),
        ("explain {none}#1 --policy {p}", 2, "{none}: No such file or directory; "),
        ("run --config {none}", 2, "{none}:1: {none} cannot be read"),
        ("replay {c} --config {none}", 2, "{none}:1: {none} cannot be read"),
        ("schema bogus", 2, "Invalid value for"),
        ("bogus", 2, "No such command 'bogus'; see: sigfw --help"),
        ("--bogus", 2, "No such option"),
    ],
)
def test_error_is_one_line_with_its_status(bad: dict[str, str], command: str, status: int, said: str) -> None:
    names = {**bad, "c": CAPTURE, "p": POLICY}
    done = sigfw(*command.format(**names).split())
    errors = done.stderr.splitlines()
    assert (done.returncode, len(errors)) == (status, 1), done.stderr
    assert errors[0].startswith(said.format(**names))
    assert done.stdout == "" or status == 1


def test_run_tells_every_mistake_of_the_configuration(bad: dict[str, str]) -> None:
    done = sigfw("run", "--config", bad["config"])
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3
    assert all(line.startswith(f"{bad['config']}:1: ") for line in done.stderr.splitlines())


def test_check_of_several_goes_on_after_a_bad_one(bad: dict[str, str]) -> None:
    done = sigfw("policy", "check", bad["policy"], POLICY, bad["lint"])
    assert done.returncode == 2
    assert [line.split(": ok: ")[0] for line in done.stdout.splitlines()] == [POLICY, bad["lint"]]


def test_no_command_shows_what_there_is() -> None:
    done = sigfw()
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: sigfw ")


@pytest.mark.parametrize(
    "command",
    [
        f"decode {CORPUS}",
        f"screen {CORPUS} --policy {POLICY} --format jsonl",
        f"explain {CAPTURE}#1 --policy {POLICY}",
    ],
)
def test_reader_that_leaves_ends_the_command_silently(command: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sigfw", *command.split()], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (141, b"")


def test_full_disk_is_one_line() -> None:
    with open("/dev/full", "wb") as full:
        done = sigfw("policy", "show", POLICY, stdout=full.fileno())
    assert done.returncode == 3
    assert done.stderr == "the output cannot be written (No space left on device); make room and run again\n"


def test_closed_output_is_no_fault() -> None:
    command = f"{sys.executable} -m sigfw decode {CAPTURE} >&-"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        pytest.param(RunError("brokers lost"), "sigfw: brokers lost", id="run error"),
        pytest.param(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), "please report it", id="fault of our own"),
    ],
)
async def test_any_fault_of_a_kafka_worker_ends_it_there_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: Exception, told: str
) -> None:
    """A return to the event loop would let aiokafka send what it holds, or wait for its tasks without end."""

    module = importlib.import_module("sigfw.cli.run")

    async def serve(*_: object) -> None:
        raise fault

    class Ended(BaseException):
        pass

    def end(status: int) -> None:
        assert status == 3
        raise Ended

    monkeypatch.setattr(module, "serve", serve)
    monkeypatch.setattr(module.os, "_exit", end)
    settings = SimpleNamespace(source=SimpleNamespace(kafka=object()))
    with pytest.raises(Ended):
        await module._serve(Path("c.yaml"), settings, lambda _: None)
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
