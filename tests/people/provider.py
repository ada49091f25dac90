"""A small OpenID Connect provider on loopback: discovery, authorization with PKCE, token, userinfo, keys; really signed."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "picapweb", "a secret of client and provider"


@dataclass
class Provider:
    """url: the issuer. claims: of whoever signs in there. wrong: what its ID tokens say otherwise. key: they are signed with."""

    url: str
    claims: dict[str, Any]
    wrong: dict[str, Any] = field(default_factory=dict)
    key: Any = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    access: set[str] = field(default_factory=set)

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        said = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.claims["sub"],
            "iat": now,
            "exp": now + 60,
            "nonce": nonce,
        } | self.wrong
        return jwt.encode({k: v for k, v in said.items() if v is not None}, self.key, algorithm="RS256", headers={"kid": "1"})


@contextmanager
def provider(**claims: Any) -> Iterator[Provider]:
    own_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    one = Provider("", claims, key=own_key)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def say(self, said: Any, status: int = 200) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            path, asked = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
            if path == "/.well-known/openid-configuration":
                ends = {name: f"{one.url}/{end}" for name, end in ENDS.items()}
                self.say({"issuer": one.url, **ends})
            elif path == "/authorize":
                code = secrets.token_hex(8)
                one.codes[code] = asked
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
                self.end_headers()
            elif path == "/keys":
                public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(own_key.public_key()))
                self.say({"keys": [{**public, "kid": "1", "alg": "RS256", "use": "sig"}]})
            elif path == "/userinfo" and self.headers["Authorization"].removeprefix("Bearer ") in one.access:
                self.say(one.claims)
            else:
                self.say({}, 404)

        def do_POST(self) -> None:
            given = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
            asked = one.codes.pop(given.get("code", ""), None)
            digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            good = asked and asked["code_challenge"] == challenge and asked["redirect_uri"] == given["redirect_uri"]
            if not good or (given["client_id"], given["client_secret"]) != (CLIENT, SECRET):
                self.say({"error": "invalid_grant"}, 400)
                return
            assert asked is not None
            one.access.add(access := secrets.token_hex(8))
            self.say({"access_token": access, "token_type": "Bearer", "id_token": one.id_token(asked["nonce"])})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


ENDS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "userinfo_endpoint": "userinfo",
    "jwks_uri": "keys",
}
