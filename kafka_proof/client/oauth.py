"""Tokens for OAUTHBEARER, which an issuer gives for a client's id and secret (RFC 6749, section 4.4).

Kafka's OAuthBearerLoginCallbackHandler sends the same request, and renews a token at the same moment.
"""

import base64
import binascii
import functools
import http.client
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from kafka.errors import KafkaError
from kafka.net.sasl.oauth import AbstractTokenProvider

from kafka_proof.client.text import one_line

OAUTH = "OAUTHBEARER"
SECONDS = 5  # for the answer of an issuer
_USED = 0.8  # part of a token's life after which it is renewed; Kafka's sasl.login.refresh.window.factor
_LONGEST = 1 << 18  # bytes of an answer


class TokenError(KafkaError):  # type: ignore[misc]
    """The issuer gives no token. The message is one phrase: its address, and its reason."""


class Tokens(AbstractTokenProvider):  # type: ignore[misc]
    """The tokens of one client, for all its connections."""

    def __init__(self, url: str, client: str, secret: str, scope: str) -> None:
        self.url, self.client, self.secret, self.scope = url, client, secret, scope
        self._lock = threading.Lock()
        self._token, self._renew = "", 0.0

    def token(self) -> str:
        """Return a token that is valid for a while. Raises TokenError."""
        with self._lock:
            now = time.time()
            if now >= self._renew:
                token = self._fetch()
                self._renew = now + _USED * (self._claim(token, "exp", (int, float)) - now)
                self._token = token
            return self._token

    def user(self) -> str:
        """Return the name by which a broker knows this client. Raises TokenError."""
        return str(self._claim(self.token(), "sub", str))

    def _fetch(self) -> str:
        form = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        login = base64.b64encode(f"{self.client}:{self.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Accept": "application/json"}
        request = urllib.request.Request(self.url, urllib.parse.urlencode(form).encode(), headers)
        try:
            with _OPENER.open(request, timeout=SECONDS) as response:
                found = json.loads(_body(response))["access_token"]
        except urllib.error.HTTPError as error:
            with error:
                said = one_line(error.read(200).decode(errors="replace"))
            raise TokenError(f"{self.url} gives client {self.client!r} no token: {error.code} {said}") from None
        except (TimeoutError, urllib.error.URLError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise TokenError(f"{self.url} does not answer within {SECONDS} s") from None
            raise TokenError(f"{self.url} does not answer ({one_line(str(reason))})") from None
        except (OSError, http.client.HTTPException) as error:
            raise TokenError(f"{self.url} breaks off ({one_line(str(error))})") from None
        except (KeyError, TypeError, ValueError):
            raise TokenError(f"{self.url} answers without an access_token in JSON") from None
        return str(found)

    def _claim(self, token: str, name: str, kind: type | tuple[type, ...]) -> Any:
        try:
            payload = token.split(".")[1]
            value = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))[name]
        except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
            value = None
        if not isinstance(value, kind):
            raise TokenError(f"{self.url} gives a token that is no JWT with the claim {name!r}")
        return value


@functools.cache
def tokens(url: str, client: str, secret: str, scope: str) -> Tokens:
    """Return the Tokens of a client, the same ones for the same arguments: connections share a token."""
    return Tokens(url, client, secret, scope)


def user_of(arguments: Mapping[str, Any]) -> str:
    """Return the name of the user for arguments of `kafka_python`; "" without a login. Raises TokenError."""
    if arguments.get("sasl_mechanism") == OAUTH:
        return str(arguments["sasl_oauth_token_provider"].user())
    return str(arguments.get("sasl_plain_username", ""))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuse to follow: the other address would get the secret."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _body(response: http.client.HTTPResponse) -> bytes:
    """Return the body of an answer. Raises TimeoutError if it comes in drops."""
    deadline, body = time.monotonic() + SECONDS, b""
    while len(body) < _LONGEST and (chunk := response.read1(_LONGEST)):
        body += chunk
        if time.monotonic() > deadline:
            raise TimeoutError
    return body
