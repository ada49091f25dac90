"""Who may do what: the one table. A URL that is not in it is refused to everybody.

It is looked at in one place, picapweb.middleware.signed_in, before a view runs or a body is read, for pages, API, Pilosa's API,
streams and files alike. What it cannot say, for it depends on the object, is asked where the object is: whose job
(capture.sight), whose saved query, whether a query writes (proxy.api.pilosa_rights). In local mode there is one person, who may
everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.urls import ResolverMatch, reverse

from people.models import Role
from people.who import Who


@dataclass(frozen=True)
class Rule:
    """role: the least that may; "" everybody. writes: not with a read-only token. session: not with a token at all."""

    role: str
    writes: bool = False
    session: bool = False


OPEN = Rule("")
LOOK = Rule(Role.VIEWER)
OWN = Rule(Role.VIEWER, writes=True)  # what is one's own: tokens
ACCOUNT = Rule(Role.VIEWER, writes=True, session=True)
PLAN = Rule(Role.OPERATOR)  # looks at what there is to be done
WORK = Rule(Role.OPERATOR, writes=True)
RULE = Rule(Role.ADMIN)
CHANGE = Rule(Role.ADMIN, writes=True)
MANAGE = Rule(Role.ADMIN, writes=True, session=True)

Rules = dict[str, Rule]
_GET: Rules = {"GET": LOOK}
_ASK: Rules = {"GET": LOOK, "POST": LOOK}  # a POST is for a question that is too long for a URL
_ORDER: Rules = {"GET": PLAN, "POST": WORK}

# URL name -> method -> rule. HEAD is as GET, OPTIONS as whatever is easiest.
TABLE: dict[str, Rules] = {
    # the server
    "healthz": {"GET": OPEN},
    "readyz": {"GET": OPEN},
    "metrics": {"GET": RULE},
    "system": {"GET": RULE},
    "docs": _GET,
    "schema": _GET,
    # people
    "sign-in": {"GET": OPEN, "POST": OPEN},
    "openid": {"GET": OPEN},
    "oidc_authentication_callback": {"GET": OPEN},
    "sign-out": {"POST": Rule(Role.VIEWER, session=True)},
    "account": {"GET": LOOK},
    "password": {"POST": ACCOUNT},
    "tokens": {"GET": LOOK, "POST": ACCOUNT},
    "token": {"GET": LOOK, "DELETE": OWN, "POST": OWN},
    "people": {"GET": RULE, "POST": MANAGE},
    "person": {"GET": RULE, "PATCH": MANAGE, "POST": MANAGE},
    "audit": {"GET": RULE},
    # jobs
    "start": _GET,
    "jobs": {"GET": LOOK, "POST": WORK},
    "new-job": {"GET": PLAN},
    "check-filter": {"GET": PLAN},
    "sample": {"POST": WORK},
    "interfaces": {"GET": PLAN},
    "job": {"GET": LOOK, "DELETE": WORK},
    "job-live": _GET,
    "job-events": _GET,
    "job-health": _GET,
    "job-pcap": _GET,
    "job-stop": _ORDER,
    "job-retry": _ORDER,
    "job-delete": _ORDER,
    "job-share": {"POST": WORK},
    # packets
    "explore": _ASK,
    "explore-with": _GET,
    "query": _GET,
    "packets": _ASK,
    "export": _ASK,
    "packet": _GET,
    "packet-pcap": _GET,
    "numbered-packet": _GET,
    "note": {"GET": LOOK, "POST": WORK, "PUT": WORK, "DELETE": WORK},
    "tags": {"GET": LOOK, "POST": WORK, "DELETE": WORK},
    "top": _ASK,
    "count": _ASK,
    "histogram": _ASK,
    "crosstab": _ASK,
    "compare": _ASK,
    "complete": _GET,
    "fields": _GET,
    "flows": _ASK,
    "flow": _GET,
    "payload": _GET,
    "payload-bytes": _GET,
    "named": _GET,
    # what is kept of questions
    "saved": {"GET": LOOK, "POST": WORK},
    "saved-query": {"GET": LOOK, "PATCH": WORK, "DELETE": WORK},
    "saved-edit": _ORDER,
    "saved-delete": _ORDER,
    "test-webhook": {"POST": WORK},
    "alerts": _GET,
    "alert": _GET,
    "acknowledge": {"POST": WORK},
    # Pilosa's API. A query may write: see proxy.api.pilosa_rights.
    "pilosa-query": {"POST": LOOK},
    "pilosa-schema": {"GET": LOOK, "POST": WORK},
    "pilosa-indexes": _GET,
    "pilosa-index": {"GET": LOOK, "POST": WORK, "DELETE": WORK},
    "pilosa-field": {"POST": WORK, "DELETE": WORK},
    "pilosa-import": {"POST": WORK},
    "pilosa-import-roaring": {"POST": WORK},
    "pilosa-export": _GET,
    "pilosa-status": _GET,
    "pilosa-info": _GET,
    "pilosa-version": _GET,
    "pilosa-recalculate-caches": {"POST": LOOK},
    "pilosa-nodes": _GET,
    "pilosa-fragment-nodes": _GET,
    "pilosa-shards-max": _GET,
    "pilosa-translate-keys": {"POST": WORK},
    "pilosa-column-attributes": {"POST": LOOK},
    "pilosa-row-attributes": {"POST": LOOK},
    "pilosa-not-found": {"GET": LOOK, "POST": LOOK, "PUT": LOOK, "PATCH": LOOK, "DELETE": LOOK},
}
# Of all URLs of a namespace: Django's admin keeps a table of its own behind this.
NAMESPACES: dict[str, Rules] = {"admin": {"GET": MANAGE, "POST": MANAGE}}


def rules_of(match: ResolverMatch) -> Rules | None:
    """The rules of a URL by method; None: it is not in the table."""
    for namespace in match.namespaces:
        return NAMESPACES.get(namespace)
    return TABLE.get(match.url_name or "")


def rule_of(rules: Rules, method: str) -> Rule | None:
    """The rule for a method; None: nobody may."""
    if method == "HEAD":
        method = "GET"
    if method == "OPTIONS":
        return next(iter(rules.values()))
    return rules.get(method)


def refused(rule: Rule, one: Who) -> str:
    """Why somebody who has signed in may not; empty: they may."""
    if rule.role and not one.is_at_least(rule.role):
        return f"this is for people with the role {rule.role} or more; {one.name} has the role {one.role or 'of nobody'}"
    if rule.session and one.via.startswith("token"):
        return "this is for people who have signed in in a browser, and not for tokens"
    if rule.writes and not one.writes:
        return "this token is read-only"
    return ""


@cache
def open_paths() -> frozenset[str]:
    """Paths that anybody may ask for. A load balancer asks for some, and a browser needs the others to show the sign-in page."""
    return frozenset(reverse(name) for name, rules in TABLE.items() if any(rule == OPEN for rule in rules.values()))
