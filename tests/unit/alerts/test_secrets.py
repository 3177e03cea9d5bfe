"""Secrets come from a file or the environment, are never empty, and cannot be printed."""

import pickle
from pathlib import Path

import pytest

from broker.alerts.secrets import Secret, SecretMissing, Secrets, SecretTooShort


def test_a_secret_is_read_from_the_folder_before_the_environment(tmp_path: Path) -> None:
    """What systemd hands over wins over what was left in a shell."""
    (tmp_path / "mail.password").write_text("from the folder\n")
    environment = {"MASH_SECRET_MAIL_PASSWORD": "from the environment"}
    assert Secrets(tmp_path, environment).read("mail.password").reveal() == "from the folder"
    credentials = {**environment, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert Secrets(None, credentials).read("mail.password").reveal() == "from the folder"
    assert Secrets(None, environment).read("mail.password").reveal() == "from the environment"


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_a_secret_that_is_missing_or_empty_is_named_with_where_it_was_sought(tmp_path: Path, text: str | None) -> None:
    """Empty means no; the operator reads which file and which variable."""
    if text is not None:
        (tmp_path / "notify.key").write_text(text)
    with pytest.raises(SecretMissing, match=r"notify\.key.*MASH_SECRET_NOTIFY_KEY"):
        Secrets(tmp_path, {}).read("notify.key")


def test_a_signing_secret_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    """Attack: a link forged by trying short words."""
    (tmp_path / "acknowledge.key").write_text("0123456789abcdef0123456789abcdef\nsesame\n")
    with pytest.raises(SecretTooShort):
        Secrets(tmp_path, {}).signing_keys("acknowledge.key")


def test_a_secret_has_no_printable_form_and_is_not_pickled() -> None:
    """A traceback or a log line that holds one shows nothing."""
    secret = Secret("sesame-0123456789")
    assert "sesame" not in f"{secret} {secret!r} {Secrets(None, {'MASH_SECRET_A': 'sesame'})!r}"
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(secret)
