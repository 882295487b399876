"""Checks of S3 request signatures, as a real object store makes them and moto does not.

Knows signature version 4 in the Authorization header or the query, and version 2 in the query,
which is what the Butler server's signed URLs still use.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

__all__ = ["Credentials", "Refusal", "Request", "check_signature"]

_ALGORITHM = "AWS4-HMAC-SHA256"
_CLOCK_SKEW = timedelta(minutes=15)
_LONGEST = timedelta(days=7)


@dataclass(frozen=True)
class Credentials:
    """A pair of keys of the object store."""

    access_key: str
    secret_key: str


@dataclass(frozen=True)
class Request:
    """What of an HTTP request is signed.

    Attributes
    ----------
    method : `str`
        HTTP method.
    path, query : `str`
        Both as they came, percent-encoded.
    headers : `~collections.abc.Mapping` [`str`, `str`]
        By lower-case name.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Refusal(Exception):
    """Why a request is refused, in S3's own words."""

    code: str
    message: str


def check_signature(request: Request, credentials: Credentials, now: datetime) -> None:
    """Check that a request is signed with the credentials and has not expired.

    Parameters
    ----------
    request : `Request`
        The request.
    credentials : `Credentials`
        The only keys that there are.
    now : `datetime.datetime`
        The time, with its zone.

    Raises
    ------
    Refusal
        If the request is unsigned, expired or signed for something else.
    """
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    authorization = request.headers.get("authorization", "")
    if authorization.startswith(_ALGORITHM):
        _check_header(request, authorization, credentials, now)
    elif query.get("X-Amz-Algorithm") == _ALGORITHM:
        _check_query(request, query, credentials, now)
    elif "Signature" in query and "Expires" in query:
        _check_query_v2(request, query, credentials, now)
    else:
        raise Refusal("AccessDenied", "Access Denied")


def _check_header(request: Request, authorization: str, credentials: Credentials, now: datetime) -> None:
    parts = dict(
        part.strip().partition("=")[::2] for part in authorization.removeprefix(_ALGORITHM).split(",")
    )
    stamp = request.headers.get("x-amz-date", "")
    if abs(now - _parse_stamp(stamp)) > _CLOCK_SKEW:
        raise Refusal(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )
    payload = request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    _compare_v4(
        request,
        credentials,
        scope=parts.get("Credential", ""),
        signed_headers=parts.get("SignedHeaders", ""),
        stamp=stamp,
        payload=payload,
        given=parts.get("Signature", ""),
    )


def _check_query(request: Request, query: dict[str, str], credentials: Credentials, now: datetime) -> None:
    stamp = query.get("X-Amz-Date", "")
    try:
        lifetime = timedelta(seconds=int(query.get("X-Amz-Expires", "")))
    except ValueError:
        raise Refusal("AuthorizationQueryParametersError", "X-Amz-Expires should be a number") from None
    begin = _parse_stamp(stamp)
    if lifetime > _LONGEST:
        raise Refusal("AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week")
    if now < begin - _CLOCK_SKEW or now > begin + lifetime:
        raise Refusal("AccessDenied", "Request has expired")
    _compare_v4(
        request,
        credentials,
        scope=query.get("X-Amz-Credential", ""),
        signed_headers=query.get("X-Amz-SignedHeaders", ""),
        stamp=stamp,
        payload="UNSIGNED-PAYLOAD",
        given=query.get("X-Amz-Signature", ""),
    )


def _compare_v4(
    request: Request,
    credentials: Credentials,
    *,
    scope: str,
    signed_headers: str,
    stamp: str,
    payload: str,
    given: str,
) -> None:
    """Compute the signature as the S3 API reference describes, and compare it with the given one."""
    access_key, _, rest = scope.partition("/")
    scope_parts = rest.split("/")
    if len(scope_parts) != 4 or access_key != credentials.access_key:
        raise _unknown_key()
    names = signed_headers.split(";")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    pairs = parse_qsl(request.query, keep_blank_values=True)
    encoded = sorted(
        (quote(key, safe="-_.~"), quote(value, safe="-_.~"))
        for key, value in pairs
        if key != "X-Amz-Signature"
    )
    canonical = "\n".join(
        [
            request.method,
            request.path,
            "&".join(f"{key}={value}" for key, value in encoded),
            headers,
            signed_headers,
            payload,
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join([_ALGORITHM, stamp, rest, digest])
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope_parts:
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), given):
        raise _mismatch()


def _check_query_v2(request: Request, query: dict[str, str], credentials: Credentials, now: datetime) -> None:
    if query.get("AWSAccessKeyId") != credentials.access_key:
        raise _unknown_key()
    expires = query["Expires"]
    if not expires.isdecimal() or now > datetime.fromtimestamp(int(expires), UTC):
        raise Refusal("AccessDenied", "Request has expired")
    amazon = "".join(
        f"{name}:{value.strip()}\n"
        for name, value in sorted(request.headers.items())
        if name.startswith("x-amz-")
    )
    to_sign = "\n".join(
        [
            request.method,
            request.headers.get("content-md5", ""),
            request.headers.get("content-type", ""),
            expires,
            amazon + request.path,
        ]
    )
    digest = hmac.digest(credentials.secret_key.encode(), to_sign.encode(), "sha1")
    if not hmac.compare_digest(base64.b64encode(digest).decode(), query["Signature"]):
        raise _mismatch()


def _parse_stamp(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal("AccessDenied", "AWS authentication requires a valid Date") from None


def _unknown_key() -> Refusal:
    return Refusal("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")


def _mismatch() -> Refusal:
    return Refusal(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
    )
