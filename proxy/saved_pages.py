"""Pages of saved queries, alerts and tags. They are forms and tables, and work without JavaScript."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from capture.pages import see_other
from capture.services.errors import Refused
from indexing.calls import QueryError
from proxy.api.alerts import test_webhook as posted
from proxy.api.tags import listed, tag_of, write
from proxy.caret import caret
from proxy.links import Where, row
from proxy.models import SavedQuery
from proxy.ready import ready
from proxy.saved.alerts import acknowledge as acknowledged
from proxy.saved.alerts import alert_json, find_alerts, get_alert
from proxy.saved.given import text
from proxy.saved.notes import LONGEST as LONGEST_NOTE
from proxy.saved.notes import remove_note, write_note
from proxy.saved.paging import page_of
from proxy.saved.saving import check_may_change, find_saved, get_saved, may_change, save, saved_json, url
from proxy.saved.saving import delete as forget
from proxy.saved.tags import FIELD

NUMBERS = ("threshold", "window_seconds", "cooldown_seconds")


@require_http_methods(["GET", "HEAD", "POST"])
def saved(request: HttpRequest) -> HttpResponse:
    """All saved queries. A POST saves one, and shows its settings."""
    if request.method != "POST":
        wanted = text({"text": request.GET.get("text", "")}, "text", 1000)
        page = page_of(request, find_saved(wanted))
        context = {"page": page, "text": wanted, "found": [_listed(request, one) for one in page], "ready": ready(Where())}
        return render(request, "proxy/saved.html", context)
    try:
        one, _ = save(request, _given(request.POST))
    except (QueryError, Refused) as error:
        return _form(request, None, request.POST, error)
    return see_other(f"{one.get_absolute_url()}edit/")


def _listed(request: HttpRequest, one: SavedQuery) -> dict[str, Any]:
    return {**saved_json(one, to=request), "may_change": may_change(request, one)}


@require_safe
def saved_query(request: HttpRequest, pk: int) -> HttpResponse:
    """The packets of a saved query: its URL is the one to keep."""
    return see_other(url(get_saved(pk)))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """A saved query and its alert settings, as a form."""
    one = get_saved(pk)
    check_may_change(request, one)
    if request.method != "POST":
        return _form(request, one, None)
    try:
        changed, secret = save(request, _given(request.POST), one)
    except (QueryError, Refused) as error:
        return _form(request, get_saved(pk), request.POST, error)
    if secret is not None:
        return _form(request, changed, None, secret=secret)
    return see_other("/saved/")


def _form(
    request: HttpRequest,
    one: SavedQuery | None,
    given: QueryDict | None,
    error: QueryError | Refused | None = None,
    **more: Any,
) -> HttpResponse:
    """The form with what was given, or with what is there, and what was wrong."""
    context: dict[str, Any] = {"one": saved_json(one) if one else None, "values": _values(one, given), **more}
    if error is not None:
        context |= {
            "error": error.detail if isinstance(error, Refused) else str(error),
            "wrong": error.members.get("option", "") if isinstance(error, Refused) else "q",
            "caret": None if isinstance(error, Refused) or given is None else caret(given.get("q", ""), error.position),
        }
    return render(request, "proxy/saved_edit.html", context, status=200 if error is None else error.status)


def _values(one: SavedQuery | None, given: QueryDict | None) -> dict[str, Any]:
    if given is not None:
        return {**given.dict(), "job": ", ".join(given.getlist("job"))}
    if one is None:
        return {}
    said = saved_json(one)
    alert = said.pop("alert") or {"enabled": False, "threshold": 1, "cooldown_seconds": 0}
    said |= {"job": ", ".join(map(str, one.jobs)), "fields": ",".join(one.fields)}
    return {**said, **alert, "alerts": "on" if alert["enabled"] else ""}


def _given(form: QueryDict) -> dict[str, Any]:
    """What a form says, as the API takes it. Raises Refused."""
    given: dict[str, Any] = {name: form[name] for name in ("name", "q", "lang", "index", "from", "to") if name in form}
    if "job" in form:
        written = ",".join(str(one) for one in form.getlist("job")).split(",")
        given["jobs"] = [_number(one.strip(), "job") for one in written if one.strip()]
    if "fields" in form:
        given["fields"] = [name.strip() for name in str(form["fields"]).split(",") if name.strip()]
    if "threshold" in form:  # the form with the alert settings
        alert: dict[str, Any] = {name: _number(str(form[name]), name) for name in NUMBERS if form.get(name)}
        if not form.get("window_seconds"):
            alert["window_seconds"] = None
        alert |= {"enabled": form.get("alerts") == "on", "webhook": form.get("webhook", ""), "secret": form.get("secret", "")}
        given["alert"] = alert
    return given


def _number(written: str, name: str) -> int:
    if not written.isascii() or not written.isdecimal() or len(written) > 18:
        raise Refused(f"{name} must be a number, not {written!r}", option=name)
    return int(written)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a saved query, once it was confirmed."""
    one = get_saved(pk)
    check_may_change(request, one)
    if request.method != "POST":
        return render(request, "proxy/saved_delete.html", {"one": one})
    forget(request, one)
    return see_other("/saved/")


@require_POST
def test_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Posts to the webhook, and says what it answered."""
    one = get_saved(pk)
    check_may_change(request, one)
    try:
        said = posted(one)
    except Refused as refused:
        said = {"delivered": False, "status": None, "error": refused.detail}
    return _form(request, one, None, tested=said)


@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """All alerts, the newest first."""
    page = page_of(request, find_alerts(request.GET))
    context = {
        "page": page,
        "alerts": [alert_json(one) for one in page],
        "open": request.GET.get("acknowledged") == "false",
        "filtered": bool(request.GET.get("saved") or request.GET.get("acknowledged")),
        "standing": SavedQuery.objects.filter(standing__enabled=True).exists(),
    }
    return render(request, "proxy/alerts.html", context)


@require_safe
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """One alert, and what became of posting it."""
    return render(request, "proxy/alert.html", {"alert": alert_json(get_alert(pk))})


@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has seen it."""
    acknowledged(request, get_alert(pk))
    return see_other("/alerts/" if request.POST.get("from") == "list" else f"/alerts/{pk}/")


@require_POST
def note(request: HttpRequest, index: str, column: int) -> HttpResponse:
    """Writes the note of a packet; an empty one takes it away."""
    words = text({"text": request.POST.get("text", "")}, "text", LONGEST_NOTE)
    if words.strip():
        write_note(request, index, column, words)
    else:
        remove_note(index, column)
    return see_other(f"/packets/{index}/{column}/")


@require_http_methods(["GET", "HEAD", "POST"])
def tags(request: HttpRequest) -> HttpResponse:
    """The tags of an index. A POST tags the packets of a query, or takes a tag away (`remove`)."""
    error = None
    if request.method == "POST":
        try:
            remove = "remove" in request.POST
            done = write(request.POST, tag_of(request.POST), not remove)
            if not remove:
                return see_other(Where(done["index"]).url("/explore/", row(FIELD, done["tag"])))
            return see_other(Where(done["index"]).url("/packets/tags"))
        except (QueryError, Refused) as refused:
            error = refused
    given = request.GET if request.method != "POST" else QueryDict(f"index={request.POST.get('index', '')}")
    found = listed(given)
    for one in found["tags"]:
        one["explore_url"] = Where(found["index"]).url("/explore/", row(FIELD, one["tag"]))
    context = {**found, "error": getattr(error, "detail", str(error)) if error else ""}
    return render(request, "proxy/tags.html", context, status=error.status if error else 200)
