"""From a provider's word to a person. Who somebody is, the pair of issuer and `sub` says, and nothing else: an email address or
a name of the provider's makes nobody the person that there is under it here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from people import members
from people.models import Identity
from people.oidc import provider


class OpenID(OIDCAuthenticationBackend):
    """The package checks signature, state and nonce; checked here are issuer and audience (OpenID Connect Core 1.0, 3.1.3.7), and
    that the userinfo is of the same person (5.3.2)."""

    def __init__(self) -> None:
        """Asks nobody: a backend is made for every request of a session."""
        self.UserModel = get_user_model()
        self.OIDC_RP_CLIENT_ID, self.OIDC_RP_CLIENT_SECRET = settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET
        self.OIDC_RP_SIGN_ALGO, self.OIDC_RP_IDP_SIGN_KEY = settings.OIDC_RP_SIGN_ALGO, None

    @property
    def OIDC_OP_TOKEN_ENDPOINT(self) -> str:
        return str(provider.document()["token_endpoint"])

    @property
    def OIDC_OP_USER_ENDPOINT(self) -> str:
        return str(provider.document()["userinfo_endpoint"])

    @property
    def OIDC_OP_JWKS_ENDPOINT(self) -> str:
        return str(provider.document()["jwks_uri"])

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        payload: dict[str, Any] = super().verify_token(token, **kwargs)
        audience = payload.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if payload.get("iss") != settings.OIDC_ISSUER:
            raise SuspiciousOperation(f"the ID token is of another issuer: {payload.get('iss')!r}")
        if (
            settings.OIDC_RP_CLIENT_ID not in audiences
            or payload.get("azp", settings.OIDC_RP_CLIENT_ID) != settings.OIDC_RP_CLIENT_ID
        ):
            raise SuspiciousOperation("the ID token is for another client")
        if not payload.get("sub") or "exp" not in payload:
            raise SuspiciousOperation("the ID token names nobody, or does not expire")
        return payload

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = super().get_userinfo(access_token, id_token, payload)
        if found.get("sub") != payload["sub"]:
            raise SuspiciousOperation("the userinfo is of somebody else")
        return found

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        return bool(claims.get("sub"))

    def filter_users_by_claims(self, claims: dict[str, Any]) -> Any:
        return User.objects.filter(identities__issuer=settings.OIDC_ISSUER, identities__subject=claims["sub"])

    def create_user(self, claims: dict[str, Any]) -> User:
        """Somebody who comes for the first time. Raises SuspiciousOperation where the name is taken: an admin decides then."""
        name = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
        try:
            with transaction.atomic():
                user, _ = members.make(name, settings.OIDC_ROLE)
                user.set_unusable_password()
                user.save(update_fields=["password"])
                Identity.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject=claims["sub"])
        except members.NotDone as error:
            raise SuspiciousOperation(f"{name} cannot be made a person: {error}") from None
        return user

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.select_related("person").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
