"""How often somebody may try to sign in: by name and address, by address, and by name from anywhere.

An attempt is written before the password is looked at, and taken away when it was right: of a hundred at the same moment, each
sees the others. Names that there are not are counted as those that there are, so a lock-out says nothing about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from people.models import SignInAttempt

# Of one address (an office behind one address has many people), and of one name from everywhere (which anybody can use up).
ADDRESS_TIMES, NAME_TIMES = 4, 10


@dataclass(frozen=True)
class Attempt:
    """pk of its row; seconds: how long to wait, 0: it may be looked at. first: that this attempt is the one that locked."""

    pk: int
    seconds: int
    first: bool


def begin(name: str, address: str) -> Attempt:
    """Counts an attempt to sign in, and says whether the password is to be looked at."""
    now = timezone.now()
    since = now - timedelta(seconds=settings.SIGN_IN_SECONDS)
    SignInAttempt.objects.filter(at__lt=since).delete()
    hashed = hash_of(name)
    made = SignInAttempt.objects.create(name=hashed, address=address)
    most = settings.SIGN_IN_FAILURES
    over = False
    first = False
    for some, limit in (
        (Q(name=hashed, address=address), most),
        (Q(address=address), ADDRESS_TIMES * most),
        (Q(name=hashed), NAME_TIMES * most),
    ):
        before = SignInAttempt.objects.filter(some, at__gte=since, pk__lt=made.pk).count()
        over |= before >= limit
        first |= before == limit
    if not over:
        return Attempt(made.pk, 0, False)
    return Attempt(made.pk, max(1, round(settings.SIGN_IN_SECONDS)), first)


def succeeded(attempt: Attempt, name: str, address: str) -> None:
    """The password was right: what there was of this name at this address is forgotten."""
    SignInAttempt.objects.filter(Q(pk=attempt.pk) | Q(name=hash_of(name), address=address)).delete()


def forget(name: str) -> None:
    """Lifts the lock-out of a name."""
    SignInAttempt.objects.filter(name=hash_of(name)).delete()


def is_locked(name: str) -> bool:
    """Whether the name is locked out at some address, or everywhere."""
    since: datetime = timezone.now() - timedelta(seconds=settings.SIGN_IN_SECONDS)
    tries = list(SignInAttempt.objects.filter(name=hash_of(name), at__gte=since).values_list("address", flat=True))
    most = settings.SIGN_IN_FAILURES
    return len(tries) > NAME_TIMES * most or any(tries.count(address) > most for address in set(tries))


def hash_of(name: str) -> str:
    """What a name is counted under: case makes no difference."""
    return salted_hmac("people.throttle", name.casefold(), algorithm="sha256").hexdigest()
