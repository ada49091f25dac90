"""What is kept of questions: saved queries with their alert settings, and tags on packets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from picapweb_client.asking import Asking
from picapweb_client.packet import Packets
from picapweb_client.scope import Lang, Scope, job_numbers, parameters_of
from picapweb_client.when import moment, rfc3339

if TYPE_CHECKING:
    from picapweb_client.client import Client

JSON = {"Content-Type": "application/json"}


class AlertOptions(TypedDict, total=False):
    """When packets of a saved query raise an alert, and where it is posted to: docs/saved-and-alerts.md."""

    enabled: bool
    threshold: int
    window_seconds: int | None
    cooldown_seconds: int
    webhook: str
    secret: str


@dataclass(frozen=True)
class AlertSettings:
    """The same as it is. secret_set: the secret itself is never shown. error: why the query could not be asked, if so. missed:
    packets that it was not asked of. raised: its last alert."""

    enabled: bool
    threshold: int
    window_seconds: int | None
    cooldown_seconds: int
    webhook: str
    secret_set: bool
    error: str | None
    missed: int
    raised: datetime | None


@dataclass(frozen=True)
class WebhookAnswer:
    """What a webhook answered: delivered, if it was a 2xx; status, if it answered; error, if not."""

    delivered: bool
    status: int | None
    error: str | None


@dataclass(frozen=True)
class SavedQuery:
    """A question with a name. start, end: texts as they were given; fields: columns of its table, none: the usual ones."""

    id: int
    url: str
    name: str
    owner: str | None
    index: str
    q: str
    lang: str
    jobs: tuple[int, ...]
    start: str
    end: str
    fields: tuple[str, ...]
    created: datetime | None
    updated: datetime | None
    alert: AlertSettings | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    _client: Client = field(repr=False, compare=False)

    @property
    def scope(self) -> Scope:
        """Keywords that ask it with any question: client.top("netsrc", saved.q, **saved.scope)."""
        lang: Lang | None = "pql" if self.lang == "pql" else "display" if self.lang == "display" else None
        return {
            "index": self.index,
            "lang": lang,
            "jobs": self.jobs or None,
            "start": self.start or None,
            "end": self.end or None,
        }

    def count(self) -> int:
        """How many packets it has now."""
        return self._client.count(self.q, **self.scope)

    def packets(self) -> Packets:
        """Its packets, with its fields."""
        return self._client.packets(self.q, fields=self.fields, **self.scope)

    def change(self, **changes: Any) -> SavedQuery:
        """Another name, q, fields, alert (None: no alerts any more), lang, jobs, index, start or end; the rest stays."""
        told = self._client.http.json("PATCH", self.url, body=_body(changes), headers=JSON, query=changes.get("q", self.q))
        return saved_of(told, self._client)

    def delete(self) -> None:
        """Its alerts stay."""
        self._client.http.json("DELETE", self.url)

    def test_webhook(self) -> WebhookAnswer:
        """Posts to its webhook, once. Raises PicapwebError if it has none."""
        told = self._client.http.json("POST", f"{self.url}test-webhook/")
        return WebhookAnswer(told["delivered"], told["status"], told["error"])


@dataclass(frozen=True)
class Tagged:
    """packets: of the query; changed: of them, those that got the tag now, or lost it."""

    tag: str
    packets: int
    changed: int


@dataclass(frozen=True)
class Tag:
    """A tag, and how many packets have it."""

    tag: str
    packets: int


class Saved(Asking):
    """See above."""

    def save(
        self, name: str, q: str, *, fields: Sequence[str] = (), alert: AlertOptions | None = None, **scope: Unpack[Scope]
    ) -> SavedQuery:
        """Keeps a question. Raises QueryError if it cannot be asked, Conflict if there is one of that name."""
        parameters_of(q, scope)
        given: dict[str, Any] = {"name": name, "q": q, "fields": fields, **scope}
        if alert is not None:
            given["alert"] = alert
        return saved_of(self.http.json("POST", "/saved/", body=_body(given), headers=JSON, query=q), self._client())

    def saved(self, number: int) -> SavedQuery:
        """A saved query. Raises NotFound."""
        return saved_of(self.http.json("GET", f"/saved/{number}/"), self._client())

    def saved_queries(self, text: str = "") -> Iterator[SavedQuery]:
        """All saved queries in order of their names, page by page; those with a text in name or query."""
        for told in self.pages("/saved/", [("text", text)] if text else []):
            yield saved_of(told, self._client())

    def tag(self, tag: str, q: str = "", **scope: Unpack[Scope]) -> Tagged:
        """Tags all packets that a question has now; the field `tag` finds them: tag == "..."."""
        return self._write_tag("POST", tag, q, scope)

    def untag(self, tag: str, q: str = "", **scope: Unpack[Scope]) -> Tagged:
        """Takes a tag from packets."""
        return self._write_tag("DELETE", tag, q, scope)

    def tags(self, q: str = "", *, prefix: str = "", n: int = 1000, **scope: Unpack[Scope]) -> list[Tag]:
        """The tags of packets, the most used first, at most n."""
        asked = [*parameters_of(q, scope), ("prefix", prefix), ("n", str(n))]
        told = self.http.json("GET", "/packets/tags", asked, query=q)
        return [Tag(one["tag"], one["packets"]) for one in told["tags"]]

    def _write_tag(self, method: str, tag: str, q: str, scope: Scope) -> Tagged:
        parameters_of(q, scope)
        body = _body({"tag": tag, "q": q, **scope})
        told = self.http.json(method, "/packets/tags", body=body, headers=JSON, query=q)
        return Tagged(told["tag"], told["packets"], told["changed"])


def _body(given: Mapping[str, Any]) -> bytes:
    """What is given, as the API's members: times as texts from and to, jobs as numbers."""
    names = {"start": "from", "end": "to"}
    said: dict[str, Any] = {}
    for name, value in given.items():
        if name in names:
            value = None if value is None else rfc3339(value)
        elif name == "jobs":
            value = job_numbers(value)
        elif name == "fields":
            value = [value] if isinstance(value, str) else list(value)
        said[names.get(name, name)] = value
    return json.dumps(said).encode()


def saved_of(told: Mapping[str, Any], client: Client) -> SavedQuery:
    """A saved query of an answer."""
    alert = told.get("alert")
    settings = None
    if alert is not None:
        same = ("enabled", "threshold", "window_seconds", "cooldown_seconds", "webhook", "secret_set", "error", "missed")
        settings = AlertSettings(**{name: alert[name] for name in same}, raised=moment(alert["raised"]))
    return SavedQuery(
        **{name: told[name] for name in ("id", "url", "name", "owner", "index", "q", "lang")},
        jobs=tuple(told["jobs"]),
        start=told["from"],
        end=told["to"],
        fields=tuple(told["fields"]),
        created=moment(told["created"]),
        updated=moment(told["updated"]),
        alert=settings,
        raw=told,
        _client=client,
    )
