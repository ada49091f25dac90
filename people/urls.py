"""Signing in, one's account, people, the audit log."""

from __future__ import annotations

from django.urls import path

from people.api import audit as audit_api
from people.api import people as people_api
from people.api import tokens as tokens_api
from people.pages import account, audit, openid, people, sign_in
from picapweb.negotiate import by_accept

urlpatterns = [
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-in/openid/", openid.begin, name="openid"),
    path("sign-in/openid/back/", openid.back, name="oidc_authentication_callback"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign-out"),
    path("account/", by_accept(account.account_api, account.account), name="account"),
    path("account/password/", account.password, name="password"),
    path("tokens/", by_accept(tokens_api.Tokens.as_view(), account.tokens_page), name="tokens"),
    path("tokens/<str:prefix>/", by_accept(tokens_api.OneToken.as_view(), account.token_page), name="token"),
    path("people/", by_accept(people_api.People.as_view(), people.people), name="people"),
    path("people/<int:pk>/", by_accept(people_api.OnePerson.as_view(), people.person), name="person"),
    path("audit/", by_accept(audit_api.Audit.as_view(), audit.audit), name="audit"),
]
