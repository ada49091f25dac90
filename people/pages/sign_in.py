"""Signing in and out, by name and password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from people import audit, throttle
from people.addresses import address_of
from people.who import Who, acting
from picapweb.middleware.signed_in import request_id


class SignIn(LoginView):
    """Django's, with a limit on attempts. `next` leads to this host only (Django's own check); the session gets a new id."""

    template_name = "picapweb/sign_in.html"
    attempt: throttle.Attempt | None = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"oidc": bool(settings.OIDC_ISSUER)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = str(request.POST.get("username", ""))[:150]
        self.attempt = throttle.begin(name, address_of(request))
        if self.attempt.seconds:
            # Neither right nor wrong: the password is not looked at. Once a lock-out it is worth a line in the log.
            if self.attempt.first:
                record(request, "sign-in refused", name)
            response = self.render_to_response(self.get_context_data(form=AuthenticationForm(request), locked=True), status=429)
            response["Retry-After"] = str(self.attempt.seconds)
            return response
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        assert self.attempt is not None
        user = form.get_user()
        with transaction.atomic():
            throttle.succeeded(self.attempt, user.get_username(), address_of(self.request))
            response = super().form_valid(form)
            record(self.request, "sign-in", user.get_username(), user)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        record(self.request, "sign-in failed", str(self.request.POST.get("username", ""))[:150])
        return super().form_invalid(form)


class SignOut(LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        audit.record("sign-out")
        return super().post(request, *args, **kwargs)


def record(request: HttpRequest, action: str, name: str, user: Any = None, how: str = "password") -> None:
    """Who tried is nobody yet. A name that is nobody's is not written: people type passwords there."""
    known = User.objects.filter(username=name).first() if user is None else user
    who = name if known else "(unknown name)"
    one = Who(user.pk if user else None, who, "", False, how, address_of(request), request_id(request))
    with acting(one):
        audit.record(action, f"person {name}" if known else "")
