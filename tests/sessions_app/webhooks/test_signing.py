"""Signatures of webhooks: a receiver can tell ours, and the test vector of the standard comes out."""

from __future__ import annotations

import sys

import pytest

from sessions_app.webhooks import signing
from tests.support.server import ROOT

sys.path.insert(0, str(ROOT / "examples"))

from webhooks import Refused, verified

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
MOMENT = 1614265330


def signed(*keys: str, body: bytes = BODY, at: int = MOMENT) -> dict[str, str]:
    return signing.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body, keys)


def test_a_signature_is_that_of_the_standard_s_example() -> None:
    assert signed(SECRET)["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_takes_what_was_signed_with_its_secret() -> None:
    assert verified(signed(SECRET), BODY, SECRET, now=MOMENT) == {"test": 2432232314}


def test_while_a_secret_is_replaced_either_will_do() -> None:
    new = signing.new_secret()
    for each in (SECRET, new):
        assert verified(signed(new, SECRET), BODY, each, now=MOMENT)


@pytest.mark.parametrize(
    ("headers", "body", "now"),
    [
        (signed(signing.new_secret()), BODY, MOMENT),
        (signed(SECRET), BODY + b" ", MOMENT),
        (signed(SECRET) | {"webhook-id": "another"}, BODY, MOMENT),
        (signed(SECRET) | {"webhook-timestamp": str(MOMENT + 1)}, BODY, MOMENT),
        (signed(SECRET), BODY, MOMENT + 301),
        (signed(SECRET), BODY, MOMENT - 301),
        ({}, BODY, MOMENT),
        (signed(SECRET) | {"webhook-signature": "v2,x v1,"}, BODY, MOMENT),
    ],
    ids=["key", "body", "id", "time", "old", "early", "nothing", "version"],
)
def test_a_receiver_refuses_whatever_was_changed(headers: dict[str, str], body: bytes, now: int) -> None:
    with pytest.raises(Refused):
        verified(headers, body, SECRET, now=now)


def test_no_two_secrets_are_alike() -> None:
    secrets = {signing.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in secrets)
