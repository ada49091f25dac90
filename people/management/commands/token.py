"""`manage.py token NAME`: an API token, without a browser."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from people import tokens
from people.models import Scope, Token


class Command(BaseCommand):
    help = "Makes an API token for a person and prints it, this once; or lists or revokes tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person")
        parser.add_argument("--name", default="command line", help="what the token is called")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.READ)
        parser.add_argument("--days", type=float, default=90, help="until it expires; 0: never")
        parser.add_argument("--list", action="store_true", help="lists the person's tokens")
        parser.add_argument("--revoke", metavar="PREFIX", help="revokes one")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["person"]).first()
        if user is None:
            raise CommandError(f"there is no person {options['person']!r}: `manage.py person` makes one")
        if options["list"]:
            for token in Token.objects.filter(user=user):
                until = f"until {token.expires:%Y-%m-%d}" if token.expires else "for ever"
                self.stdout.write(f"{token.prefix}  {token.scope}  {token.state}  {until}  {token.name}")
            return
        if options["revoke"]:
            found = Token.objects.filter(user=user, prefix=options["revoke"]).first()
            if found is None:
                raise CommandError(f"{user.username} has no token {options['revoke']!r}")
            tokens.revoke(found)
            self.stdout.write(f"revoked: {found.prefix}")
            return
        if options["days"] < 0:
            raise CommandError("days must not be negative")
        _, text = tokens.make(user, options["name"][: tokens.LONGEST_NAME], options["scope"], options["days"] or None)
        self.stdout.write(text)
