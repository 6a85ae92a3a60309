"""Tokens of an issuer: when they are fetched, and why there is none. No broker."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kafka_proof.client import oauth
from kafka_proof.client.oauth import TokenError, Tokens, user_of
from tests.support.issuer import CLIENTS, encoded, issuer


def test_a_token_is_renewed_before_it_expires(monkeypatch):
    with issuer() as found:
        tokens = Tokens(f"{found.url}/token", "alice", CLIENTS["alice"], "")
        first, now = tokens.token(), time.time()
        assert (tokens.token(), found.given) == (first, 1)
        assert user_of({"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": tokens}) == "alice"
        for part, given in ((0.7, 1), (0.9, 2)):
            monkeypatch.setattr(oauth.time, "time", lambda part=part: now + part * 300)
            tokens.token()
            assert found.given == given


def test_the_user_of_a_login():
    assert [user_of({}), user_of({"sasl_plain_username": "bob"})] == ["", "bob"]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b'{"error": "invalid_client"}', 'gives client \'alice\' no token: 401 {"error": "invalid_client"}'),
        (500, b"\x1b[31m\n", r"gives client 'alice' no token: 500 \x1b[31m"),
        (302, b"", "gives client 'alice' no token: 302"),
        (200, b"<html>", "answers without an access_token in JSON"),
        (200, b"[]", "answers without an access_token in JSON"),
        (200, b'{"access_token": "opaque"}', "gives a token that is no JWT with the claim 'exp'"),
        (200, b'{"access_token": "h.%s.s"}' % encoded({"exp": "soon"}).encode(), "no JWT with the claim 'exp'"),
        (200, None, "does not answer within 0.2 s"),
    ],
)
def test_no_token(monkeypatch, status, body, reason):
    monkeypatch.setattr(oauth, "SECONDS", 0.2)
    with answering(status, body) as url, pytest.raises(TokenError) as refused:
        Tokens(url, "alice", "hidden", "").token()
    assert reason in refused.value.args[0]
    assert refused.value.args[0].startswith(url)
    assert "hidden" not in refused.value.args[0]


def test_a_redirect_is_not_followed(monkeypatch):
    """The other address would get the secret."""
    with issuer() as found, answering(302, b"", f"{found.url}/token") as url, pytest.raises(TokenError):
        Tokens(url, "alice", CLIENTS["alice"], "").token()
    assert found.given == 0


@contextlib.contextmanager
def answering(status, body, location="http://127.0.0.1:1/"):
    """Run a server with one answer, whose body comes in drops where it is None. Yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", location)
            self.end_headers()
            with contextlib.suppress(OSError):  # the client has gone
                for drop in [b" "] * 50 if body is None else [body]:
                    self.wfile.write(drop)
                    over.wait(0.02 if body is None else 0)

        do_GET = do_POST

        def log_message(self, *_):
            pass

    over = threading.Event()
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/token"
        finally:
            over.set()
            server.shutdown()
