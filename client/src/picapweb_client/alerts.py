"""Alerts that standing queries have raised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from picapweb_client.asking import Asking
from picapweb_client.packet import Packets
from picapweb_client.packets import PAGE
from picapweb_client.when import moment, nanoseconds_of

if TYPE_CHECKING:
    from picapweb_client.client import Client
    from picapweb_client.saved import SavedQuery

FEW_JOBS = 100  # of very many an alert does not know all


@dataclass(frozen=True)
class Alert:
    """That enough packets of a standing query had come. saved: its number, None if it was deleted. count: of the alert's packets;
    first_time_ns, last_time_ns: since 1970, None if they have no time. deliveries: posts to its webhook, as in
    docs/saved-and-alerts.md."""

    id: int
    url: str
    saved: int | None
    name: str
    index: str
    q: str
    lang: str
    raised: datetime | None
    count: int
    jobs: tuple[int, ...]
    first_column: int | None
    last_column: int | None
    first_time_ns: int | None
    last_time_ns: int | None
    acknowledged: datetime | None
    acknowledged_by: str | None
    deliveries: tuple[Mapping[str, Any], ...] = field(hash=False)
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    _client: Client = field(repr=False, compare=False)

    def packets(self) -> Packets:
        """Packets of its query, in its jobs if they are few, from the time of its first packet to that of its last."""
        asked = parse_qsl(urlsplit(self.raw["packets_url"]).query)
        if len(self.jobs) <= FEW_JOBS and all(name != "job" for name, _ in asked):
            asked += [("job", str(job)) for job in self.jobs]
        return Packets(self._client.http, asked, (), None, "capture", PAGE)

    def acknowledge(self) -> Alert:
        """Says that somebody has seen it."""
        return alert_of(self._client.http.json("POST", f"{self.url}acknowledge/"), self._client)


class Alerts(Asking):
    """See above."""

    def alerts(self, *, saved: int | SavedQuery | None = None, acknowledged: bool | None = None) -> Iterator[Alert]:
        """Alerts, newest first, page by page as they are taken: of a saved query, (not) acknowledged ones, or all."""
        asked = []
        if saved is not None:
            asked.append(("saved", str(saved if isinstance(saved, int) else saved.id)))
        if acknowledged is not None:
            asked.append(("acknowledged", str(acknowledged).lower()))
        last = None
        for told in self.pages("/alerts/", asked):
            if last is None or told["id"] < last:  # one that was raised meanwhile moves the others on
                last = told["id"]
                yield alert_of(told, self._client())

    def alert(self, number: int) -> Alert:
        """An alert. Raises NotFound."""
        return alert_of(self.http.json("GET", f"/alerts/{number}/"), self._client())


def alert_of(told: Mapping[str, Any], client: Client) -> Alert:
    """An alert of an answer."""
    same = ("id", "url", "saved", "name", "index", "q", "lang", "count", "first_column", "last_column", "acknowledged_by")
    return Alert(
        **{name: told[name] for name in same},
        raised=moment(told["raised"]),
        jobs=tuple(told["jobs"]),
        first_time_ns=nanoseconds_of(told["first_time"]),
        last_time_ns=nanoseconds_of(told["last_time"]),
        acknowledged=moment(told["acknowledged"]),
        deliveries=tuple(told["deliveries"]),
        raw=told,
        _client=client,
    )
