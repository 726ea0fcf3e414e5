"""Apps and passkeys as people have them, for tests of second factors."""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

PERIOD_S = 30


def code_of(secret: str, *, periods: int = 0) -> str:
    """What an app with this secret shows, or will show so many half minutes later."""
    shown: str = format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD_S + periods))
    return shown


class Passkey:
    """A passkey on a device of somebody."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.id = os.urandom(16)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer to the server's wish to know one, as the page writes it."""
        asked = options["publicKey"]
        cose = ES256.from_cryptography_key(self._key.public_key())  # type: ignore[no-untyped-call]
        attested = AttestedCredentialData.create(Aaguid(bytes(16)), self.id, cose)
        data = self._data(asked["rp"]["id"], AuthenticatorData.FLAG.AT, attested)
        attestation = AttestationObject.create("none", data, {})
        told = self._told(CollectedClientData.TYPE.CREATE, asked["challenge"])
        return self._answer({"clientDataJSON": told, "attestationObject": attestation})

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer to the server's wish to see one."""
        asked = options["publicKey"]
        data = self._data(asked["rpId"])
        told = self._told(CollectedClientData.TYPE.GET, asked["challenge"])
        signature = self._key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(SHA256()))
        return self._answer({"clientDataJSON": told, "authenticatorData": data, "signature": signature})

    def _data(self, site: str, flags: int = 0, attested: bytes = b"") -> AuthenticatorData:
        present = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV
        place = hashlib.sha256(site.encode()).digest()
        data: AuthenticatorData = AuthenticatorData.create(place, present | flags, 0, attested)
        return data

    def _told(self, kind: str, challenge: str) -> CollectedClientData:
        return CollectedClientData.create(kind, websafe_decode(challenge), self.origin)

    def _answer(self, response: dict[str, bytes]) -> dict[str, Any]:
        name = websafe_encode(self.id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {part: websafe_encode(bytes(value)) for part, value in response.items()},
            "clientExtensionResults": {},
        }
