"""The secret of the store's hashes, and the hashes themselves.

Patients, and what a card rested on, are hashed with the secret, so that the store alone cannot be searched for either.
Token ids are random and no patient data; they are hashed without it, because workers on several machines share them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cds_service.errors import SettingsError

_KEY_BYTES = 32
_log = logging.getLogger(__name__)


def load_or_create_key(path: Path) -> bytes:
    """Return the key kept in `path`; make one where there is none, readable by its owner alone.

    Raises: SettingsError.
    """
    try:
        if not path.exists():
            _create(path)
        return _read(path)
    except OSError as error:
        raise SettingsError(f"CDS_DATA_DIR: the hash key {path} cannot be read or made ({error.strerror}).") from error


def _create(path: Path) -> None:
    """Several workers may come here at once: the key is complete before it has its name, and the first name stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        _log.info("hash_key_made_by_another_worker")
    finally:
        draft.unlink()


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        _log.warning("hash_key_readable_by_others")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) < _KEY_BYTES:
        raise SettingsError(
            f"CDS_DATA_DIR: {path} is not a hash key; remove it and a new one is made at the next start."
        )
    return key


def patient_hash(key: bytes, *, client: str | None, tenant: str | None, patient_id: str) -> str:
    """Keyed hash of a patient. Ids are unique only within a client's tenant, so both are part of it."""
    return hmac.new(key, _joined(["patient", client, tenant, patient_id]), hashlib.sha256).hexdigest()


def evidence_hash(key: bytes, parts: Sequence[object]) -> str:
    """Keyed hash of what a card rested on: nothing of it can be read or guessed from the store alone."""
    return hmac.new(key, _joined(["evidence", *parts]), hashlib.sha256).hexdigest()


def token_hash(issuer: str, token_id: str) -> str:
    """Hash of a token id (`jti`) of an issuer."""
    return hashlib.sha256(_joined(["jti", issuer, token_id])).hexdigest()


def entry_hash(parts: Sequence[object]) -> str:
    """Hash by which a repeated entry is recognised."""
    return hashlib.sha256(_joined(parts)).hexdigest()


def _joined(parts: Sequence[object]) -> bytes:
    """JSON keeps the borders between the parts, so that no two lists look alike; it also takes any text."""
    return json.dumps(list(parts), ensure_ascii=True).encode("ascii")
