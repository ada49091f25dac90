"""`manage.py person NAME`: a person with a role, without a browser."""

from __future__ import annotations

import sys
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from people import members, throttle
from people.models import Role


class Command(BaseCommand):
    help = "Makes a person, or changes one: role, password, disabled or not, locked out or not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", choices=Role.values, help="of a new person: viewer, if it is not said")
        parser.add_argument("--password-stdin", action="store_true", help="the password is the first line of standard input")
        state = parser.add_mutually_exclusive_group()
        state.add_argument("--disable", action="store_true", help="sessions and tokens are of no use from now on")
        state.add_argument("--enable", action="store_true")
        parser.add_argument("--unlock", action="store_true", help="forgets attempts to sign in that failed")

    def handle(self, *args: Any, **options: Any) -> None:
        name, role = options["name"], options["role"]
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        user = User.objects.filter(username=name).first()
        try:
            if user is None:
                user, made = members.make(name, role or Role.VIEWER, password)
                self.stdout.write(f"made: {name}, {role or Role.VIEWER}" + (f", password: {made}" if made else ""))
            else:
                if role:
                    members.set_role(user, role)
                if password is not None:
                    members.set_password(user, password)
            user.refresh_from_db()
            if options["disable"] or options["enable"]:
                members.set_active(user, bool(options["enable"]))
        except members.NotDone as error:
            raise CommandError(str(error)) from None
        if options["unlock"]:
            throttle.forget(name)
        user = User.objects.get(username=name)
        self.stdout.write(f"{name}: {members.role_of_row(user)}{'' if user.is_active else ', disabled'}")
