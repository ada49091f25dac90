"""The page of who there is. For admins."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from capture.services.errors import Refused
from people.api.people import change_person, find_people, get_person, make_person, person_json
from people.models import Role
from proxy.saved.paging import page_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def people(request: HttpRequest) -> HttpResponse:
    """All people; a POST makes one."""
    if request.method != "POST":
        return _page(request)
    try:
        user, password = make_person(request)
    except Refused as refused:
        return _page(request, refused.status, error=refused.detail, wrong=refused.members.get("option", ""))
    return _page(request, 201, made=user.get_username(), password=password)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """A POST gives a role, disables, enables, unlocks."""
    user = get_person(pk)
    if request.method == "POST":
        try:
            change_person(request, user)
        except Refused as refused:
            return _page(request, refused.status, error=refused.detail)
    return HttpResponseRedirect("/people/", status=303)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    page = page_of(request, find_people(request.GET))
    context = {
        "page": page,
        "people": [person_json(user) for user in page],
        "text": request.GET.get("text", ""),
        "roles": Role.choices,
        "given": request.POST,
        **more,
    }
    return render(request, "people/people.html", context, status=status)
