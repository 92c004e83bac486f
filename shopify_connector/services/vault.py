"""Secrets at rest: Fernet tokens in the database, their keys outside of it.

The keys are the option `encryption_key` (comma separated: the first one encrypts, all of them
decrypt). Without the option a key file is made in Odoo's data directory on first use; when both
exist, the file still decrypts, so that the option can be introduced later.
"""

import contextlib
import logging
import os
import stat
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.tools import config

from .config import option

_logger = logging.getLogger(__name__)

KEY_FILE = Path("shopify_connector") / "encryption.key"


class VaultError(Exception):
    """A secret cannot be encrypted or decrypted; the message says what to do."""


def encrypt(secret: str) -> str:
    """:raises VaultError: the configured key is not one, or the key file cannot be used."""
    return _fernet().encrypt(secret.encode()).decode()


def decrypt(token: str) -> str:
    """:raises VaultError: no key of this server fits, or see `encrypt`."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise VaultError(_no_key_fits()) from None


def rotate(token: str) -> str:
    """The same secret, encrypted with the first key; raises as `decrypt`."""
    try:
        return _fernet().rotate(token.encode()).decode()
    except InvalidToken:
        raise VaultError(_no_key_fits()) from None


def key_path() -> Path:
    """The key file, whether it exists or not."""
    return Path(config["data_dir"]) / KEY_FILE


def _no_key_fits() -> str:
    where = (
        "option encryption_key of section [shopify_connector]"
        if option("encryption_key")
        else f"the file {key_path()}"
    )
    return (
        f"A stored secret cannot be decrypted with the key of this server ({where}). Add the key of"
        " the server that stored it to option encryption_key, separated by a comma, or enter the"
        " credentials of the store again."
    )


def _fernet() -> MultiFernet:
    configured = [key.strip() for key in (option("encryption_key") or "").split(",")]
    keys = [key for key in configured if key]
    if not keys or key_path().exists():
        keys.append(_file_key())
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise VaultError(
            "The encryption key is not usable: it takes 32 random bytes in URL-safe base64, as"
            " made by: python3 -c 'from cryptography.fernet import Fernet;"
            " print(Fernet.generate_key().decode())'"
        ) from None


def _file_key() -> str:
    path = key_path()
    try:
        if not path.exists():
            _make_key_file(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            _logger.warning("%s can be read by other users: set its mode to 0600", path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise VaultError(
            f"The encryption key {path} cannot be used: {error.strerror}. Make the directory"
            " writable for the user that runs Odoo, or set option encryption_key."
        ) from error


def _make_key_file(path: Path):
    """Make the key file whole or not at all; the first of several workers wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp gives mode 0600.
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".encryption-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
            _logger.info("Made the encryption key %s; keep a copy of it", path)
    finally:
        os.unlink(draft)
