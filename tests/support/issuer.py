"""An issuer of tokens for OAUTHBEARER: it serves its public key, and gives a client a token for its secret."""

import base64
import contextlib
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENTS = {"alice": 'secret"of\\alice', "bob": "secret-of-bob", "admin": "secret-of-admin"}
AUDIENCE, KEY_ID, LIFE = "kafka", "key-1", 300  # seconds


class Issuer:
    """A running issuer. `url` is its name in tokens; `given`: how many tokens its clients got."""

    def __init__(self, url):
        self.url, self.key, self.given = url, new_key(), 0

    def settings(self):
        """Return kafka_security.oauth."""
        return {"jwks_url": f"{self.url}/keys", "issuer": self.url, "audience": AUDIENCE}

    def token(self, user, key=None, life=LIFE, **claims):
        """Return a signed token of a user that is valid for `life` seconds from now."""
        now = int(time.time())
        start = now + min(0, life) - LIFE
        usual = {"sub": user, "iss": self.url, "aud": AUDIENCE, "iat": start, "exp": now + life}
        head = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        signed = f"{encoded(head)}.{encoded(usual | claims)}"
        signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"

    def keys(self):
        """Return the JWKS (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        own = {
            name: base64url(value.to_bytes((value.bit_length() + 7) // 8))
            for name, value in zip("ne", (numbers.n, numbers.e), strict=True)
        }
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID} | own]}

    def give(self, authorization, form):
        """Return (status, answer) of a request for a token (RFC 6749, sections 4.4 and 5)."""
        login = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        user, _, secret = login.partition(":")
        if CLIENTS.get(user) != secret:
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        self.given += 1
        return 200, {"access_token": self.token(user), "token_type": "Bearer", "expires_in": LIFE}


@contextlib.contextmanager
def issuer():
    """Run an issuer on a free port of loopback, and yield it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(200, found.keys())

        def do_POST(self):
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(*found.give(self.headers["Authorization"], urllib.parse.parse_qs(form)))

        def answer(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Issuer(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encoded(content):
    return base64url(json.dumps(content).encode())


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
