"""People: made, given roles, disabled. There is always one who may do this."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from people import audit
from people.models import Person, Role
from people.roles import role_of


class NotDone(Exception):
    """What cannot be done, in words. option: which word of the request was wrong."""

    def __init__(self, words: str, option: str = "", status: int = 400) -> None:
        super().__init__(words)
        self.option, self.status = option, status


def make(name: str, role: str, password: str | None = None) -> tuple[User, str | None]:
    """A new user, and its password if one was made up. password: None: one is made up. Raises NotDone."""
    _check_role(role)
    made = secrets.token_urlsafe(12) if password is None else None
    user = User(username=name)
    _check(user, name, made or password or "")
    user.set_password(made or password)
    _mark(user, role)
    try:
        with transaction.atomic():
            user.save()
            Person.objects.create(user=user, role=role)
            audit.record("person made", f"person {user.username}", role=role)
    except IntegrityError:
        raise NotDone(f"there is a person {name!r} already", "name", 409) from None
    return user, made


def set_role(user: User, role: str) -> None:
    """Raises NotDone: an unknown role; the last admin."""
    _check_role(role)
    with transaction.atomic():
        user = _locked(user)
        before = role_of_row(user)
        if before == role:
            return
        if before == Role.ADMIN:
            _keep_one(user)
        _mark(user, role)
        user.save(update_fields=["is_staff", "is_superuser"])
        Person.objects.update_or_create(user=user, defaults={"role": role})
        audit.record("role changed", f"person {user.username}", before=before, role=role)


def set_active(user: User, active: bool) -> None:
    """Disabled: sessions and tokens are of no use from then on. Raises NotDone: the last admin."""
    with transaction.atomic():
        user = _locked(user)
        if user.is_active == active:
            return
        if not active and role_of(user) == Role.ADMIN:
            _keep_one(user)
        user.is_active = active
        user.save(update_fields=["is_active"])
        audit.record("person enabled" if active else "person disabled", f"person {user.username}")


def set_password(user: User, password: str) -> None:
    """Raises NotDone. Other sessions of the user's end by it (Django's session hash)."""
    _check_password(user, password)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record("password changed", f"person {user.username}")


def role_of_row(user: User) -> str:
    """The role of a user that may be disabled."""
    if user.is_superuser or user.is_staff:
        return Role.ADMIN
    person = Person.objects.filter(user=user).first()
    return str(person.role) if person else Role.VIEWER


def _keep_one(user: User) -> None:
    """Raises NotDone if no other admin is left. All admins are locked: of two who go at once, one is the last."""
    admins = User.objects.select_for_update().filter(is_active=True).exclude(is_staff=False, is_superuser=False)
    if {admin.pk for admin in admins} <= {user.pk}:
        raise NotDone(f"{user.username} is the only admin left: make another one first", "role", 409)


def _locked(user: User) -> User:
    # All who change roles at the same time wait for each other: in the order of the ids, so that none waits for ever.
    list(User.objects.select_for_update().exclude(is_staff=False, is_superuser=False).order_by("pk").values_list("pk"))
    return User.objects.select_for_update().get(pk=user.pk)


def _mark(user: User, role: str) -> None:
    """Django's own admin goes by these."""
    user.is_staff = user.is_superuser = role == Role.ADMIN


def _check_role(role: Any) -> None:
    if role not in Role.values:
        raise NotDone(f"role must be one of {', '.join(Role.values)}, not {role!r}", "role")


def _check(user: User, name: str, password: str) -> None:
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError:
        raise NotDone("name must have letters, digits and @ . + - _ only, and at least one of them", "name") from None
    if len(name) > 150:
        raise NotDone("name must have at most 150 characters", "name")
    if User.objects.filter(username__iexact=name).exists():
        raise NotDone(f"there is a person {name!r} already", "name", 409)
    _check_password(user, password)


def _check_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise NotDone(f"password: {' '.join(error.messages)}", "password") from None
