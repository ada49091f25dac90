"""manage.py picap: one job in the foreground, with picap's own options."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from argparse import ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from capture.models import Job, JobKind, JobState
from capture.packets.dissect import DISSECTORS
from capture.packets.interfaces import default_interface, list_interfaces
from capture.services import control, create
from capture.services.describe import job_json
from capture.services.errors import Refused
from capture.services.live_workers import alive
from capture.services.options import dissectors_in_words, parse_options, presets_in_words
from picapweb.management.commands.up import options_from_settings
from picapweb.up import CannotStart, Interrupted, Up, check_bind, run, wait_for_ever

POLL_SECONDS = 0.2
# How long the live worker is waited for at the start, and the index of what was captured at the end.
LIVE_WORKER_SECONDS = 15.0
LAST_SECONDS = 30.0
# A folder that this command made, and removes: picap keeps its data nowhere unless told so.
TEMPORARY = "PICAPWEB_TEMPORARY_DATA"


def switch(text: str) -> bool:
    """--promisc and --promisc=false, as Go's flags have it."""
    if text.lower() in ("true", "1", "t"):
        return True
    if text.lower() in ("false", "0", "f"):
        return False
    raise ArgumentTypeError(f"{text!r} is neither true nor false")


class Command(BaseCommand):
    help = (
        "Index the packets of a file or an interface, and serve the proxy until interrupted: picap's options, picap's defaults."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("-f", "--filename", default="", help="capture file to read")
        add("-i", "--iface", default="", help="interface to listen on (default: en0, or that of the default route)")
        add("-s", "--snaplen", default="1500", help="most bytes kept per packet (live; default %(default)s)")
        add("-p", "--promisc", nargs="?", const=True, default=False, type=switch, help="promiscuous mode (live)")
        add("-t", "--timeout", default="1ms", help="read timeout of the live capture (default %(default)s)")
        add("-c", "--concurrency", default=1, type=int, help="parsers in parallel (default %(default)s)")
        add("-l", "--pilosa-hosts", default="", help="host:port,...: where given, the bits go to this Pilosa cluster")
        add("-e", "--filter", default="", help="BPF expression")
        add("-n", "--index", default="net", help="index name (default %(default)s)")
        add("-b", "--bind-addr", default="localhost:11000", help="where the proxy listens (default %(default)s)")
        add("-u", "--buf-size", default="100000", help="packets per batch (default %(default)s)")
        add("-m", "--mapping-dir", default="", help="data folder (default: PICAPWEB_DATA, or a temporary one)")
        add("-d", "--debug", nargs="?", const=True, default=False, type=switch, help="debug logging")
        add("-r", "--translator", default="mem", choices=("mem", "level"), help="picap's two; here both are the Postgres table")
        add("--dissector", default="", choices=tuple(DISSECTORS), help=f"who dissects: {dissectors_in_words()}")
        add("--fields", default="", help=f"fields, or presets, with commas between: {presets_in_words()}")
        add("--max-packets", default="", help="stop after so many packets")
        add("--max-bytes", default="", help="live: stop after so many bytes")
        add("--max-seconds", default="", help="live: stop after so long (30, 1m30s)")
        add("--once", action="store_true", help="end when the job has")
        add("--json", action="store_true", help="print the final job")

    def handle(self, *args: Any, **given: Any) -> None:
        bind, port = address(given["bind_addr"])
        if given["concurrency"] < 1:
            raise CommandError(f"--concurrency must be at least 1, not {given['concurrency']}")
        self.check_early(given)
        restart_with(environment_for(given))
        try:
            check_bind(bind, local=settings.LOCAL_MODE)
            options = options_from_settings(bind=bind, port=port, workers=given["concurrency"])
            code = run(options, lambda up: self.job(up, given))
        except CannotStart as error:
            raise CommandError(str(error)) from error
        finally:
            if temporary := os.environ.get(TEMPORARY):
                shutil.rmtree(temporary, ignore_errors=True)
        sys.exit(code)

    def check_early(self, given: dict[str, Any]) -> None:
        """What can be said before anything is started."""
        try:
            self.options(given)
            if not given["filename"]:
                name = given["iface"] or interface_by_default()
                # Asked of this process's own view: the live worker, its child, will have the same rights.
                create.check_interfaces([name], self.options(given), [asdict(one) for one in list_interfaces()])
            elif not Path(given["filename"]).is_file():
                raise Refused(f"there is no file {given['filename']!r}")
        except Refused as refused:
            raise CommandError(refused.detail) from refused

    def options(self, given: dict[str, Any]) -> Any:
        names = {"snaplen": "snaplen", "promisc": "promisc", "timeout": "timeout", "concurrency": "concurrency"}
        names |= {"dissector": "dissector", "fields": "fields", "filter": "filter", "index": "index", "buf_size": "bufsize"}
        names |= {name: name for name in ("max_packets", "max_bytes", "max_seconds")}
        return parse_options({ours: given[theirs] for theirs, ours in names.items()})

    def job(self, up: Up, given: dict[str, Any]) -> int:
        try:
            job = self.order(given)
        except Refused as refused:
            self.stderr.write(f"picap: {refused.detail}")
            return 1
        self.stderr.write(f"job {job.pk}; the proxy listens on {up.options.url}/")
        try:
            job = self.follow(job)
        except Interrupted:
            if job.kind != JobKind.INTERFACE:
                raise
            # A capture that a person ends is as whole as one that a stop rule ends: what was captured is indexed.
            job = self.end(job)
            given = {**given, "once": True}
        if given["json"]:
            self.stdout.write(json.dumps(job_json(job)))
        if not given["once"]:
            wait_for_ever(up)
        return 0 if job.state in (JobState.DONE, JobState.STOPPED) and not job.error else 1

    def order(self, given: dict[str, Any]) -> Job:
        """The job. Raises Refused."""
        if given["filename"]:
            return create.from_path(Path(given["filename"]), self.options(given))
        name = given["iface"] or interface_by_default()
        until = time.monotonic() + LIVE_WORKER_SECONDS
        while not alive() and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        return create.from_interfaces([name], self.options(given))

    def end(self, job: Job) -> Job:
        """Ends a live job, and waits until all that it captured is indexed, at most LAST_SECONDS."""
        try:
            control.stop(job)
        except Refused:
            pass  # it has ended meanwhile
        until = time.monotonic() + LAST_SECONDS
        while time.monotonic() < until:
            job = Job.objects.with_captures().get(pk=job.pk)
            if job.ended:
                break
            time.sleep(POLL_SECONDS)
        self.stderr.write(f"{job.state}: {job.packets_indexed:,} packets indexed")
        return job

    def follow(self, job: Job) -> Job:
        said = 0.0
        while not job.ended:
            time.sleep(POLL_SECONDS)
            job = Job.objects.with_captures().get(pk=job.pk)
            if time.monotonic() - said > 2:
                said = time.monotonic()
                wait = f", waits for {job.waiting_for}" if job.waiting_for else ""
                self.stderr.write(f"{job.state}: {job.packets_indexed:,} packets indexed{wait}")
        self.stderr.write(f"{job.state}: {job.packets_indexed:,} packets indexed{': ' + job.error if job.error else ''}")
        return job


def address(text: str) -> tuple[str, int]:
    """Host and port of `localhost:11000`, `:11000`, `[::1]:11000`. Raises CommandError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise CommandError(f"--bind-addr must be host:port, not {text!r}")
    host = host.strip("[]") or "localhost"
    return ("127.0.0.1" if host == "localhost" else host), int(port)


def interface_by_default() -> str:
    """picap's en0, or the interface of the default route where there is no en0."""
    names = [one.name for one in list_interfaces()]
    return "en0" if "en0" in names else default_interface() or "en0"


def environment_for(given: dict[str, Any]) -> dict[str, str]:
    """What the options say of settings, which are read before a command parses its options."""
    wanted = {"PICAPWEB_PORT": str(address(given["bind_addr"])[1])}
    if given["mapping_dir"]:
        wanted["PICAPWEB_DATA"] = str(Path(given["mapping_dir"]).resolve())
    elif "PICAPWEB_DATA" not in os.environ:
        wanted["PICAPWEB_DATA"] = wanted[TEMPORARY] = tempfile.mkdtemp(prefix="picap-")
    if given["pilosa_hosts"]:
        wanted["INDEX_URL"] = f"pilosa://{given['pilosa_hosts']}"
    if given["debug"]:
        wanted["PICAPWEB_LOG_LEVEL"] = "DEBUG"
    return wanted


def restart_with(wanted: dict[str, str]) -> None:
    """Returns if the environment is as wanted; else this process becomes the same command in that environment."""
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])
