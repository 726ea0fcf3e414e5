"""Errors in Deepgram's words: the same over a socket, and as the answer to an HTTP request. Pure."""

from __future__ import annotations

import json

from .protocol import ErrorCode, ProtocolError

NAMES = {
    ErrorCode.UNAUTHORIZED: ("INVALID_AUTH", 401),
    ErrorCode.FORBIDDEN: ("INVALID_AUTH", 401),
    ErrorCode.QUOTA: ("ASR_PAYMENT_REQUIRED", 402),
    ErrorCode.IDLE: ("NET-0001", 408),
    ErrorCode.FRAME_TOO_LARGE: ("PAYLOAD_TOO_LARGE", 413),
    ErrorCode.TOO_LONG: ("PAYLOAD_TOO_LARGE", 413),
    ErrorCode.WRONG_FORMAT: ("DATA-0000", 400),
    ErrorCode.TOO_MANY_CONNECTIONS: ("TOO_MANY_REQUESTS", 429),
    ErrorCode.OVERLOADED: ("SERVICE_UNAVAILABLE", 503),
    ErrorCode.GOING_AWAY: ("SERVICE_UNAVAILABLE", 503),
    ErrorCode.INTERNAL: ("INTERNAL_SERVER_ERROR", 500),
    ErrorCode.RECOGNITION_FAILED: ("INTERNAL_SERVER_ERROR", 500),
}
"""Names and HTTP status; what is not here is a bad request. A wrong key is as good as none there."""


def name_of(error: ProtocolError) -> str:
    return NAMES.get(error.code, ("Bad Request", 400))[0]


def status_of(error: ProtocolError) -> int:
    """Return the status of the HTTP answer."""
    return NAMES.get(error.code, ("Bad Request", 400))[1]


def error_body(error: ProtocolError, *, request_id: str) -> str:
    """Return the body of an HTTP answer."""
    return json.dumps(_fields(error, request_id), ensure_ascii=False)


def error_message(error: ProtocolError, *, request_id: str) -> str:
    """Return a message over a socket: for clients that know it, and for those that look for HTTP's fields."""
    more = {
        "type": "Error",
        "variant": name_of(error),
        "description": error.message,
        "message": error.message,
        "code": error.code.code,
    }
    return json.dumps(more | _fields(error, request_id), ensure_ascii=False)


def _fields(error: ProtocolError, request_id: str) -> dict[str, str]:
    return {"err_code": name_of(error), "err_msg": error.message, "request_id": request_id}
