"""Seal held originals and file names, so that the warehouse file alone reveals none of them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12  # bytes, the size that AES-GCM is specified for


def seal(key: bytes, originals: Iterable[bytes]) -> list[bytes]:
    """Return each original as nonce + AES-256-GCM ciphertext."""
    cipher = AESGCM(key)
    sealed = []
    for original in originals:
        nonce = os.urandom(_NONCE)
        sealed.append(nonce + cipher.encrypt(nonce, original, None))
    return sealed


def unseal(key: bytes, sealed: bytes) -> bytes:
    """Return the original; raises cryptography's InvalidTag for another key or a changed value."""
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
