"""The services of docker/compose.yaml on this machine and without containers: their own commands and variables, hosts by port."""

from __future__ import annotations

import http.client
import http.cookies
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

import yaml

from picapweb.embedded.services import Embedded
from tests.pilosa import pilosa_binary
from tests.ports import free_port
from tests.server import ROOT

SERVICES = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))["services"]
HOST = "picapweb.example"
PATIENCE = 240.0
PILOSAS = ("pilosa1", "pilosa2", "pilosa3")
# A lost node is noticed in seconds and not in half a minute: only how long the test takes.
_FAST_GOSSIP = [
    "--gossip.probe-interval=100ms",
    "--gossip.probe-timeout=80ms",
    "--gossip.interval=50ms",
    "--gossip.suspicion-mult=2",
]


class Composed:
    """A context manager: all services but `live`, which needs the host's interfaces."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in (*PILOSAS, "web")}
        self.gossip = {name: free_port() for name in PILOSAS}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stores = Embedded(folder / "stores", durable=False)

    def __enter__(self) -> Composed:
        self._stores.start()
        try:
            for name in PILOSAS:
                self.start(name)
            self.wait(self.cluster_is_normal)
            subprocess.run(self._command("migrate"), cwd=ROOT, env=self._environment("migrate"), check=True, capture_output=True)
            for name in ("worker", "worker", "beat", "web"):
                self.start(name, f"{name}{len(self._running)}" if name == "worker" else name)
            self.wait(lambda: self.ask("GET", "/readyz")[0] == 200)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._stores.stop()

    def start(self, service: str, name: str | None = None) -> None:
        """Starts a service as its command in the compose file says."""
        name = name or service
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._command(service), cwd=ROOT, env=self._environment(service), stdout=log, stderr=log
            )

    def health(self, service: str) -> str:
        """What a service's health check says; "" if it does well."""
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD" and words[0] == "python", words
        environment = {**self._environment(service), "PICAPWEB_PORT": str(self.ports["web"])}
        done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, env=environment, capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stderr or f"exit code {done.returncode}"

    def kill(self, name: str) -> None:
        """As a machine ends that loses its power."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def wait(self, condition: Any, seconds: float = PATIENCE) -> Any:
        """The first true value of a condition. AssertionError with the ends of all logs if it does not come true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if found := condition():
                    return found
            except OSError:
                pass
            time.sleep(0.1)
        logs = "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in self.folder.glob("*.log"))
        raise AssertionError(f"not in time\n{logs}")

    def cluster_is_normal(self) -> bool:
        """Whether every node that runs says so, of three nodes."""
        said = [self._status(name) for name in PILOSAS if name in self._running]
        return all(one["state"] == "NORMAL" and len(one["nodes"]) == len(PILOSAS) for one in said)

    def _status(self, name: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=5)
        try:
            connection.request("GET", "/status")
            return dict(json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    def _here(self, text: str) -> str:
        """A text of the compose file with this machine's addresses."""
        for name in PILOSAS:
            text = text.replace(f"{name}:10101", f"127.0.0.1:{self.ports[name]}")
            text = text.replace(f"{name}:14000", f"127.0.0.1:{self.gossip[name]}")
        return text

    def _command(self, service: str) -> list[str]:
        if service in PILOSAS:
            words = [self._here(word) for word in SERVICES[service]["command"]]
            words[words.index("--data-dir") + 1] = str(self.folder / service)
            words[words.index("--bind") + 1] = f"127.0.0.1:{self.ports[service]}"
            more = [f"--gossip.port={self.gossip[service]}", "--metric.diagnostics=false", *_FAST_GOSSIP]
            return [str(pilosa_binary()), *words, *more]
        words = SERVICES[service].get("command") or image_command()
        if service == "web":
            words = list(words)
            words[words.index("--host") + 1], words[words.index("--port") + 1] = "127.0.0.1", str(self.ports["web"])
        program, *rest = words
        if program == "python":
            return [sys.executable, *rest]
        return [str(Path(sys.executable).parent / program), *rest]

    def _environment(self, service: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PICAPWEB_", "DJANGO_"))}
        if service in PILOSAS:
            return kept
        own = {name: self._here(str(value)) for name, value in SERVICES[service]["environment"].items()}
        given = {
            "SECRET_KEY": "of-the-test-" + "0123456789abcdef" * 4,
            "PICAPWEB_ALLOWED_HOSTS": HOST,
            "DATABASE_URL": self._stores.database_url,
            "BROKER_URL": self._stores.broker_url,
        }
        image = {"PICAPWEB_DATA": str(self.folder / "data"), "PICAPWEB_MODE": "server"}
        defaults = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in own.items()}
        return {**kept, **image, **defaults, **given}

    # As a signed-in person

    def sign_up(self) -> None:
        """Makes the first person, as the settings page says, and signs in."""
        subprocess.run(
            [sys.executable, "manage.py", "createsuperuser", "--no-input", "--username=ada", "--email=ada@picapweb.example"],
            cwd=ROOT,
            env={**self._environment("web"), "DJANGO_SUPERUSER_PASSWORD": "a-long-one-for-tests"},
            check=True,
            capture_output=True,
        )
        self._cookies: dict[str, str] = {}
        self.ask("GET", "/sign-in/", Accept="text/html")
        form = urllib.parse.urlencode(
            {"username": "ada", "password": "a-long-one-for-tests", "csrfmiddlewaretoken": self._cookies["csrftoken"]}
        )
        status, _ = self.ask("POST", "/sign-in/", form, **{"Content-Type": "application/x-www-form-urlencoded"})
        assert status == 302, status

    _cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> tuple[int, Any]:
        """Status and body (JSON where it is), as a reverse proxy passes a person's request on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["web"], timeout=60)
        sent = {
            "Host": HOST,
            "X-Forwarded-Proto": "https",
            "Accept": "application/json",
            "Referer": f"https://{HOST}/",
            **headers,
        }
        if self._cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            sent["X-CSRFToken"] = self._cookies.get("csrftoken", "")
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self._cookies[name] = morsel.value
        try:
            return answer.status, json.loads(said)
        except ValueError:
            return answer.status, said


def image_command() -> list[str]:
    """What the image runs where a service names no command."""
    text = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    return list(json.loads(command))
