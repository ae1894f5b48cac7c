"""Start the product's programs as a user does, on free ports of loopback, and call the API over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import io
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from src.utils.clock import system_clock
from tests.people import CODE, PASSWORD

BACKEND = Path(__file__).resolve().parents[2]
PUBLISHED_ORIGIN = "http://localhost:5173"
# What a copy of the product leaves out: settings, data and caches of this machine.
LEFT_BEHIND = shutil.ignore_patterns(".*", "*.db*", "__pycache__", "tests", "htmlcov", "instance")
REAL_SECRETS = {
    "SECRET_KEY": "wq3-not-published-anywhere-for-the-tests-only",
    "JWT_SECRET_KEY": "vx8-not-published-anywhere-for-the-tests-only",
    "DOCTOR_INVITATION_CODE": "a code that nobody has read",
}
HALF_A_BODY = (
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 1000\r\n\r\n{"email": "somebody@peop'
)
SECONDS_TO_START = 40
SECONDS_TO_STOP = 30


FIRST_PORT, PORTS_OF_A_WORKER = 20_000, 1_000


def _ports_of_this_worker() -> Iterator[int]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw9")  # noqa: TID251 - xdist's own
    first = FIRST_PORT + int(worker.removeprefix("gw")) % 10 * PORTS_OF_A_WORKER
    start = random.randrange(PORTS_OF_A_WORKER)
    return itertools.cycle(first + (start + number) % PORTS_OF_A_WORKER for number in range(PORTS_OF_A_WORKER))


_ports = _ports_of_this_worker()


def copy_backend(target: Path) -> Path:
    """Copy the product without this machine's `.env` and database."""
    shutil.copytree(BACKEND, target, ignore=LEFT_BEHIND)
    return target


def backend_of(commit: str, folder: Path) -> Path:
    """Write the files of a commit into a folder, and return its backend/; raise LookupError if git does not have it."""
    archive = subprocess.run(
        ["git", "-C", BACKEND.parent, "archive", "--format=zip", commit], capture_output=True, check=False
    )
    if archive.returncode != 0:
        raise LookupError(f"{commit!r} is no commit of this repository: {archive.stderr.decode().strip()}")
    with zipfile.ZipFile(io.BytesIO(archive.stdout)) as files:
        files.extractall(folder)
    return folder / "backend"


def clean_environment(home: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a program: fast hashing, `settings`, and only PATH from our own environment."""
    return {
        "PATH": os.environ["PATH"],  # noqa: TID251 - a child needs one
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_ITERATIONS": "1",
        **settings,
    }


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that no other test gets.

    Each worker of pytest-xdist has a range of a thousand ports. They are lower than the ports that the system assigns
    by itself, so that no other program takes the port of a server between its end and its restart.
    """
    for _ in range(PORTS_OF_A_WORKER):
        port = next(_ports)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def wait_until(true: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    """Wait until `true()` is true, polling every 50 ms; fail with the message `what()` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        time.sleep(0.05)


def is_open(connection: socket.socket) -> bool:
    """Return whether the server has neither answered nor closed the connection."""
    connection.setblocking(False)
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Program:
    """A started process, whose output goes to a file."""

    def __init__(self, command: Sequence[str | Path], *, cwd: Path, env: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            # In a new session, so that Ctrl-C in the terminal of the tests does not signal this process.
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float = SECONDS_TO_STOP) -> int:
        """Wait for the program to end and return its exit status; fail with its output if it does not end in time."""
        wait_until(lambda: self.process.poll() is not None, seconds, lambda: f"to end\n{self.output}")
        assert self.process.returncode is not None
        return self.process.returncode

    def signal(self, number: signal.Signals) -> int:
        """Send a signal, wait for the program to end, and return its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait_for_output(self, text: str, seconds: float = SECONDS_TO_START) -> None:
        wait_until(lambda: text in self.output or self._ended(), seconds, lambda: f"{text!r} in\n{self.output}")
        assert text in self.output, self.output

    def end(self) -> None:
        """End the process if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(SECONDS_TO_STOP)

    def _ended(self) -> bool:
        return self.process.poll() is not None


@contextlib.contextmanager
def demo_server(folder: Path, backend: Path = BACKEND, **settings: str) -> Iterator[Server]:
    """Run the development server on demo data, as `./run` does."""
    port = free_port()
    database = {"PORT": str(port), "DATABASE_URL": f"sqlite:///{folder / 'demo.db'}", "FLASK_APP": "app.py"}
    env = clean_environment(folder, **database, **settings)
    subprocess.run([sys.executable, "-m", "flask", "prepare"], cwd=backend, env=env, check=True, capture_output=True)
    program = Program([sys.executable, "app.py"], cwd=backend, env=env, log=folder / "server.log")
    try:
        yield Server(program, port).wait_until_healthy()
    finally:
        program.end()


class Server:
    """The API on a port of loopback, and the program that serves it."""

    def __init__(self, program: Program, port: int) -> None:
        self.program = program
        self.port = port
        self.url = f"http://localhost:{port}"

    def wait_until_answering(self, seconds: float = SECONDS_TO_START) -> None:
        wait_until(self.answers, seconds, lambda: f"{self.url} to answer\n{self.program.output}")

    def wait_until_healthy(self, seconds: float = SECONDS_TO_START) -> Server:
        self.wait_until_answering(seconds)
        health = self.call("GET", "/health")
        assert health.status == 200, (health.body, self.program.output)
        return self

    def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """Make a call that must succeed, and return the JSON of the answer."""
        answer = self.call(method, path, body, token)
        assert answer.status in {200, 201}, (method, path, answer.status, answer.body, self.program.output)
        return answer.json()

    def join(self, name: str, email: str, code: str = "") -> str:
        """Register a patient, or a doctor if there is a code, log in, and return the token."""
        role = "doctor" if code else "patient"
        person = {"name": name, "email": email, "password": PASSWORD, "role": role, "invitation_code": code}
        self.ask("POST", "/auth/register", person)
        return self.log_in(email)

    def log_in(self, email: str) -> str:
        return str(self.ask("POST", "/auth/login", {"email": email, "password": PASSWORD})["access_token"])

    def book_something(self, code: str = CODE) -> Booking:
        """Register a doctor and a patient, publish a slot and book it."""
        number = time.monotonic_ns()
        doctor = self.join("Dr. Signe Vale", f"doctor{number}@people.example", code)
        patient = self.join("Ada Sample", f"patient{number}@people.example")
        date = f"{system_clock().year + 1}-07-01"
        slot = {"date": date, "start_time": "09:00", "end_time": "09:30"}
        slot_id = self.ask("POST", "/doctor/availability", slot, doctor)["slot_id"]
        doctor_id = self.ask("GET", "/doctor/profile", token=doctor)["doctor_id"]
        [free] = self.ask("GET", f"/patient/doctors/{doctor_id}/availability", token=patient)["data"]
        assert free["slot_id"] == slot_id
        booked = self.ask("POST", "/appointments", {"slot_id": slot_id}, patient)
        [mine] = self.ask("GET", "/appointments/my", token=patient)["data"]
        assert (mine["appointment_id"], mine["status"]) == (booked["appointment_id"], "booked")
        return Booking(doctor, patient, f"patient{number}@people.example", slot_id, booked["appointment_id"])

    def open_half_a_request(self, beginning: bytes = HALF_A_BODY) -> socket.socket:
        """Connect, send only the beginning of a request, and return the connection."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.sendall(beginning)
        return client

    def answers(self) -> bool:
        """Return whether the server answers; fail if its program has ended."""
        assert self.program.process.poll() is None, f"it ended:\n{self.program.output}"
        try:
            self.call("GET", "/health")
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Booking:
    """The tokens of a doctor and a patient, and the ids of what the patient booked."""

    doctor: str
    patient: str
    patients_email: str
    slot_id: int
    appointment_id: int
