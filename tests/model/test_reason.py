"""Why a connection failed, in words a person knows."""

import errno
import socket
import ssl

import pytest

from app_server.model.answer import reason


def chained(outer: Exception, cause: BaseException) -> Exception:
    outer.__cause__ = cause
    return outer


def untrusted() -> ssl.SSLCertVerificationError:
    failure = ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED")
    failure.verify_message = "self-signed certificate"
    return failure


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ValueError("words"), "words"),
        (ValueError(), "ValueError"),
        (OSError(errno.ECONNREFUSED, "Connect call failed ('::1', 1)"), "Connection refused"),
        (
            chained(ValueError("all failed"), ConnectionResetError(errno.ECONNRESET, "x")),
            "Connection reset by peer",
        ),
        (
            chained(ValueError("x"), ExceptionGroup("y", [OSError(errno.EHOSTUNREACH, "z")])),
            "No route to host",
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "Name or service not known",
        ),
        (untrusted(), "the server's certificate is not trusted: self-signed certificate"),
        (
            chained(ValueError("x"), ssl.SSLError(1, "WRONG_VERSION_NUMBER")),
            "WRONG_VERSION_NUMBER",
        ),
    ],
)
def test_the_reason_of(failure: BaseException, words: str) -> None:
    assert reason(failure) == words
