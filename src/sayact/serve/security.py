"""Who may talk to the robot's policy: keys, certificates, and where the server listens.

Whoever reaches a policy server can read what it sees and steer what it answers, so it listens on
the machine itself unless told otherwise, and then wants a key.
"""

import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from sayact.schema.errors import SayactError
from sayact.serve.link import KEY_VARIABLE

# openpi's clients say Api-Key, most others Bearer.
SCHEMES = ("Api-Key", "Bearer")
SHORTEST_KEY = 8  # letters; `openssl rand -hex 16` gives 32


@dataclass(frozen=True)
class Keys:
    """Any one of these opens the door; none at all: it stands open."""

    known: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.known)

    def __repr__(self) -> str:
        return f"Keys({len(self.known)} of them)"  # they stay out of logs

    def open_to(self, authorization: str | None) -> bool:
        """Is this header, "Api-Key KEY" or "Bearer KEY", good? Takes as long whether or not."""
        if not self.known:
            return True
        scheme, _, given = (authorization or "").strip().partition(" ")
        # A header of other letters than ASCII is a wrong key, not a mistake of ours.
        told = given.strip().encode(errors="surrogateescape")
        right = [hmac.compare_digest(told, key.encode()) for key in self.known]
        return any(right) and scheme.lower() in (known.lower() for known in SCHEMES)


def read_keys(file: Path | None, environment: Mapping[str, str]) -> Keys:
    """The keys of a file, one a line, or else the one in SAYACT_KEY; "#" begins a remark.

    Raises SayactError for a file without any, and for one that a guess could find.
    """
    if file is None:
        given = environment.get(KEY_VARIABLE, "").strip()
        keys = (given,) if given else ()
    else:
        if not file.is_file():
            raise SayactError(f"no file of keys at {file}; give a text file with one key a line")
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        keys = tuple(line for line in lines if line and not line.startswith("#"))
        if not keys:
            raise SayactError(f"{file} holds no key; write one a line, such as {_suggestion()}")
    for key in keys:
        if len(key) < SHORTEST_KEY or not key.isascii() or any(letter.isspace() for letter in key):
            raise SayactError(
                f"a key must have at least {SHORTEST_KEY} letters of ASCII and no spaces; make one "
                f"by {_suggestion()}"
            )
    return Keys(keys)


def require_safe_host(host: str, keys: Keys, insecure: bool) -> None:
    """Raises SayactError where other machines could reach a server that asks for no key."""
    if keys or insecure or is_loopback(host):
        return
    raise SayactError(
        f"--host {host} lets other machines reach this policy, and there is no key: anyone there "
        f"could drive the robots that listen to it. Give --key-file FILE or {KEY_VARIABLE}; or "
        "--insecure, if the network is yours alone."
    )


def is_loopback(host: str) -> bool:
    """Is this a name of the machine itself, which no other one reaches?"""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def in_url(host: str) -> str:
    """As an address has it: IPv6 in brackets, so that its colons are not the port's."""
    return f"[{host}]" if ":" in host else host


def tls_context(certificate: Path | None, private_key: Path | None) -> ssl.SSLContext | None:
    """What wss:// needs. Raises SayactError for one file without the other, or broken ones."""
    if certificate is None and private_key is None:
        return None
    if certificate is None or private_key is None:
        raise SayactError("TLS takes two files: give both --certificate and --private-key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, private_key, password=_no_password)
    except (OSError, ssl.SSLError) as problem:
        raise SayactError(
            f"{certificate} and {private_key} are no certificate with its private key, as PEM: "
            f"{problem}"
        ) from None
    return context


def _no_password() -> str:
    """A server that starts by itself has nobody to ask for one."""
    raise ssl.SSLError("the private key is locked with a password; store it without")


def _suggestion() -> str:
    return "`openssl rand -hex 16`"
