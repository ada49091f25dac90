"""/people/: who there is. For admins."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.services.describe import iso_time
from capture.services.errors import Refused
from people import members, throttle
from people.api.given import given_of, refusal, word
from people.members import NotDone
from people.models import Role
from proxy.saved.given import text
from proxy.saved.paging import page_json

LONGEST_PASSWORD = 1000


def find_people(given: Any) -> QuerySet[User]:
    """By name; `text`: those that have it in their name."""
    good = Q(api_tokens__revoked=None) & (Q(api_tokens__expires=None) | Q(api_tokens__expires__gt=timezone.now()))
    found = User.objects.select_related("person").annotate(tokens=Count("api_tokens", filter=good)).order_by("username")
    wanted = text({"text": given.get("text", "")}, "text", 150)
    return found.filter(username__icontains=wanted) if wanted else found


def get_person(pk: int) -> User:
    """Raises Http404."""
    found = find_people({}).filter(pk=pk).first()
    if found is None:
        raise Http404(f"there is no person {pk}")
    return found


def person_json(user: User) -> dict[str, Any]:
    """A person as the API shows it."""
    return {
        "id": user.pk,
        "url": f"/people/{user.pk}/",
        "name": user.get_username(),
        "role": members.role_of_row(user) if not hasattr(user, "person") else _role(user),
        "active": user.is_active,
        "joined": iso_time(user.date_joined),
        "last_sign_in": iso_time(user.last_login),
        "tokens": getattr(user, "tokens", 0),
        "locked": throttle.is_locked(user.get_username()),
    }


def _role(user: Any) -> str:
    return Role.ADMIN if user.is_superuser or user.is_staff else str(user.person.role)


def make_person(request: HttpRequest) -> tuple[User, str | None]:
    """From what the request gives, with the password if one was made up. Raises Refused."""
    given = given_of(request, ("name", "role", "password"))
    password = text(given, "password", LONGEST_PASSWORD) or None
    try:
        return members.make(word(given, "name", 150), word(given, "role", 20) or Role.VIEWER, password)
    except NotDone as error:
        raise refusal(error) from None


def change_person(request: HttpRequest, user: User) -> None:
    """Role, active, unlock: what is given, all of it or nothing. Raises Refused."""
    given = given_of(request, ("role", "active", "unlock"))
    try:
        with transaction.atomic():
            if "role" in given:
                members.set_role(user, word(given, "role", 20))
            if "active" in given:
                members.set_active(user, _boolean(given, "active"))
            if "unlock" in given and _boolean(given, "unlock"):
                throttle.forget(user.get_username())
    except NotDone as error:
        raise refusal(error) from None


def _boolean(given: dict[str, Any], name: str) -> bool:
    value = given[name]
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise Refused(f"{name} must be true or false", option=name)


class People(APIView):
    """Who there is."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict}, parameters=[OpenApiParameter(name, str) for name in ("text", "page", "limit")])
    def get(self, request: Request) -> Response:
        """People by name, with their roles."""
        return Response(page_json(request._request, find_people(request.GET), person_json))

    @extend_schema(request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """A new person; without a password, one is made up, and is `password` of the answer, shown this once."""
        user, password = make_person(request._request)
        said = person_json(get_person(user.pk)) | ({"password": password} if password else {})
        return Response(said, status=201, headers={"Location": f"/people/{user.pk}/", "Cache-Control": "no-store"})


class OnePerson(APIView):
    """A person."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict})
    def get(self, request: Request, pk: int) -> Response:
        """A person."""
        return Response(person_json(get_person(pk)))

    @extend_schema(request=dict, responses={200: dict})
    def patch(self, request: Request, pk: int) -> Response:
        """Gives a role, disables or enables (sessions and tokens end at once), or lifts a lock-out."""
        change_person(request._request, get_person(pk))
        return Response(person_json(get_person(pk)))
