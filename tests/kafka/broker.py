"""A real Apache Kafka without containers: a KRaft node, or several, on free ports of this machine.

Run `python -m tests.kafka.broker --port 9092` for one in the foreground. The jars come from tests/kafka/pom.xml by
Maven, once, into .cache/kafka-libs (environment SIGFW_KAFKA_LIBS names another folder).
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

ROOT = Path(__file__).resolve().parents[2]
POM = Path(__file__).with_name("pom.xml")
LIBS = Path(os.environ.get("SIGFW_KAFKA_LIBS") or ROOT / ".cache" / "kafka-libs")
START_SECONDS = 60.0  # a cold JVM beside a busy build takes some 10 s on two cores
STOP_SECONDS = 20.0  # a controlled shutdown takes 1-2 s; after this it is killed

# Small machines: few threads, small heap, no waiting for more group members, one replica of what Kafka keeps for
# itself. A killed node may register again only when its session has run out: 2 s, not 9.
PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
num.network.threads=2
num.io.threads=2
num.replica.fetchers=1
background.threads=2
log.cleaner.dedupe.buffer.size=2097152
offsets.topic.num.partitions=4
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr=1
min.insync.replicas=1
default.replication.factor={replicas}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
broker.heartbeat.interval.ms=300
broker.session.timeout.ms=2000
"""

LOGGING = """\
status = warn
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


class BrokerError(RuntimeError):
    """Kafka could not be had; the message says what to install or where its log is."""


def fetch_libs() -> Path:
    """The folder of Kafka's jars, fetched by Maven where they are not there yet (or pom.xml is newer)."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None and (tool == "java" or not LIBS.is_dir()):
            raise BrokerError(
                f"{tool} is not installed: a broker needs JDK 17 and Maven: apt install default-jdk maven"
            )
    stamp = LIBS / ".complete"
    if stamp.exists() and stamp.read_bytes() == POM.read_bytes():
        return LIBS
    LIBS.mkdir(parents=True, exist_ok=True)
    for jar in LIBS.glob("*.jar"):
        jar.unlink()
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={LIBS}"],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        raise BrokerError(f"Maven could not fetch Kafka into {LIBS}:\n{done.stdout[-3000:]}")
    stamp.write_bytes(POM.read_bytes())
    return LIBS


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Broker:
    """One node of a cluster. `bootstrap` is its address; data and port outlive stop, kill and start."""

    def __init__(
        self,
        *,
        port: int = 0,
        node: int = 1,
        folder: Path | None = None,
        controller_port: int = 0,
        voters: str = "",
        cluster_id: str = "",
        replicas: int = 1,
    ) -> None:
        self._libs = fetch_libs()
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.folder = folder or Path(tempfile.mkdtemp(prefix="sigfw-kafka-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._owns_folder = folder is None
        self._process: subprocess.Popen[bytes] | None = None
        controller_port = controller_port or free_port()
        self._properties = self.folder / "server.properties"
        self._properties.write_text(
            PROPERTIES.format(
                node=node,
                port=self.port,
                controller_port=controller_port,
                voters=voters or f"{node}@127.0.0.1:{controller_port}",
                folder=self.folder,
                replicas=replicas,
            )
        )
        (self.folder / "log4j2.properties").write_text(LOGGING)
        self._log = self.folder / "broker.log"
        self._format(cluster_id or urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode())

    def _java(self, main: str, *arguments: str) -> list[str]:
        # C1 alone: a test broker lives for minutes, the second compiler would take the cores from what is tested.
        tuning = [
            "-Xmx512m",
            "-Xms256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-Xshare:auto",
        ]
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        return ["java", *tuning, logging, "-cp", f"{self._libs}/*", main, *arguments]

    def _format(self, cluster_id: str) -> None:
        command = self._java(
            "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", str(self._properties)
        )
        done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise BrokerError(f"StorageTool could not format {self.folder}:\n{done.stdout[-3000:]}")

    def spawn(self) -> None:
        """Start the JVM and return at once; `wait` waits until it serves."""
        with self._log.open("ab") as log:
            # A group of its own: Ctrl-C at a terminal must reach us alone, so that the broker is stopped in order. And
            # should we be killed, the broker goes with us (setpriv is of util-linux, hence on every Debian).
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._java("kafka.Kafka", str(self._properties))],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self) -> "Broker":
        self.spawn()
        self.wait()
        return self

    def wait(self) -> None:
        """Wait until the port takes connections: a KRaft node opens it when it is in the cluster and unfenced."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                raise BrokerError(f"Kafka ended at start:\n{self.log_tail()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.1)
        self.kill()
        raise BrokerError(f"Kafka did not serve on port {self.port} within {START_SECONDS:.0f} s:\n{self.log_tail()}")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else "(no log)"

    def stop(self) -> None:
        """Shut down in order; what does not go within STOP_SECONDS is killed."""
        if self._process is None or not self.running:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a machine that loses its power."""
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Stop and start again with the same data and port."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Stop the process where it stands (SIGSTOP): connections stay, nothing answers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop and remove the data."""
        self.resume()
        self.kill()  # nobody reads this data again
        if self._owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def create_topic(self, name: str, partitions: int = 1, *, replicas: int = 1, **configs: str) -> None:
        await create_topic(self.bootstrap, name, partitions, replicas=replicas, **configs)


class Cluster:
    """Several nodes, each broker and controller. `nodes[i]` can be stopped or killed alone."""

    def __init__(self, count: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sigfw-kafka-"))
        controllers = [free_port() for _ in range(count)]
        voters = ",".join(f"{node}@127.0.0.1:{port}" for node, port in enumerate(controllers, 1))
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        self.nodes = [
            Broker(
                node=node,
                folder=self.folder / f"node{node}",
                controller_port=port,
                voters=voters,
                cluster_id=cluster_id,
                replicas=min(count, 3),
            )
            for node, port in enumerate(controllers, 1)
        ]
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> "Cluster":
        for node in self.nodes:  # a quorum needs the others: none can be waited for before all run
            node.spawn()
        for node in self.nodes:
            node.wait()
        return self

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        shutil.rmtree(self.folder, ignore_errors=True)


async def create_topic(bootstrap: str, name: str, partitions: int = 1, *, replicas: int = 1, **configs: str) -> None:
    """Make a topic; configs are Kafka's names with `_` for `.`. Raises BrokerError where the broker refuses."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        answer = await admin.create_topics([NewTopic(name, partitions, replicas, topic_configs=settings)])
        for topic, code, *text in answer.topic_errors:
            if code:
                raise BrokerError(f"topic {topic} was not made: error {code} {text}")
    except KafkaError as error:
        raise BrokerError(f"topic {name} was not made: {error!r}") from error
    finally:
        await admin.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="broker", description="Run a real Apache Kafka in the foreground; Ctrl-C ends it."
    )
    parser.add_argument("--port", type=int, default=9092)
    parser.add_argument("--folder", type=Path, help="keep data here (default: a temporary folder, removed at the end)")
    parser.add_argument("--topic", action="append", default=[], help="make this topic, of two partitions; repeatable")
    arguments = parser.parse_args()
    broker: Broker | None = None

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        broker = Broker(port=arguments.port, folder=arguments.folder)
        broker.start()
        for topic in arguments.topic:
            asyncio.run(broker.create_topic(topic, 2))
        made = f" with topics {', '.join(arguments.topic)}" if arguments.topic else ""
        print(f"Kafka serves on {broker.bootstrap}{made}; Ctrl-C ends it", flush=True)
        while broker.running:
            time.sleep(0.5)
        print(f"Kafka ended by itself:\n{broker.log_tail()}", file=sys.stderr)
        return 3
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    finally:
        if broker is not None:
            broker.stop()
            broker.close()


if __name__ == "__main__":
    sys.exit(main())
