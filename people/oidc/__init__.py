"""Signing in with an OpenID Connect provider: mozilla-django-oidc, with what it leaves open closed. Off by default."""
