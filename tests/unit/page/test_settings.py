"""Where the page may be served: loopback for everybody who sits there, elsewhere only where somebody is kept out."""

import secrets
from pathlib import Path

import pytest

from broker.page import assets
from broker.page.assets import AssetsMissing, check_assets
from broker.page.serving import PageOptions
from broker.page.settings import (
    Address,
    PageSettings,
    PageUnreadable,
    PageUnsafe,
    TlsSettings,
    check,
    read_settings,
    read_token,
)

TOKEN, CERTIFICATE, KEY, CLIENTS = (Path(f"/nowhere/{name}") for name in ("token", "page.pem", "page.key", "staff.pem"))
TLS = TlsSettings(certificate=CERTIFICATE, key=KEY)
OUTSIDE = ("0.0.0.0", "::", "192.0.2.1", "wall.example", "")  # noqa: S104 - addresses that are to be refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        (":8080", Address("127.0.0.1", 8080)),
        ("[::1]:8080", Address("::1", 8080)),
        ("wall.example:443", Address("wall.example", 443)),
    ],
)
def test_an_address_is_read(text: str, expected: Address) -> None:
    """Without a host it is loopback, and never everywhere."""
    assert Address.read(text) == expected


@pytest.mark.parametrize("text", ["8080:", "127.0.0.1:http", "127.0.0.1:70000", "127.0.0.1:-1", "on"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """With a sentence."""
    with pytest.raises(PageUnreadable, match="HOST:PORT"):
        Address.read(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_nothing(host: str) -> None:
    """Whoever sits at the machine may see it."""
    check(Address(host, 8080), PageSettings())


@pytest.mark.parametrize("host", OUTSIDE)
@pytest.mark.parametrize(
    "settings",
    [PageSettings(), PageSettings(token=TOKEN), PageSettings(names=("wall.example",)), PageSettings(tls=TLS)],
    ids=["nothing", "a token in the clear", "a name", "TLS for everybody"],
)
def test_an_address_that_strangers_reach_is_refused(host: str, settings: PageSettings) -> None:
    """The attack: an operator binds to everywhere and means to close it later."""
    with pytest.raises(PageUnsafe, match="--http-settings"):
        check(Address(host, 8080), settings)


@pytest.mark.parametrize("host", OUTSIDE)
@pytest.mark.parametrize(
    "settings",
    [
        PageSettings(token=TOKEN, tls=TLS),
        PageSettings(tls=TLS.model_copy(update={"clients": CLIENTS})),
        PageSettings(proxies=("192.0.2.7",)),
    ],
    ids=["token over TLS", "client certificates", "proxy"],
)
def test_an_address_beyond_loopback_is_open_to_those_who_are_let_in(host: str, settings: PageSettings) -> None:
    """Three ways of keeping strangers out."""
    check(Address(host, 8080), settings)


@pytest.mark.parametrize(
    "text",
    ["tokens = '/x'", "proxies = ['proxy.example']", "[tls]\ncertificate = '/x'", "[desks]\n'A B' = '/x'", "= no TOML"],
)
def test_settings_that_are_not_understood_start_nothing(tmp_path: Path, text: str) -> None:
    """The attack: a misspelt word leaves the page open."""
    path = tmp_path / "page.toml"
    path.write_text(text)
    with pytest.raises(PageUnreadable):
        read_settings(path)


def test_no_settings_are_the_closed_ones() -> None:
    """No token, no further name, no proxy: loopback alone."""
    assert read_settings(None) == PageSettings()


def test_a_token_is_read_from_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    """The attack: a token that everybody on the machine can read, or guess."""
    path, token = tmp_path / "token", secrets.token_hex(32)
    path.write_text(token + "\n")
    path.chmod(0o600)
    assert read_token(path) == token.encode()
    path.chmod(0o640)
    with pytest.raises(PageUnreadable, match="chmod 600"):
        read_token(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(PageUnreadable, match="openssl rand"):
        read_token(path)
    with pytest.raises(PageUnreadable):
        read_token(tmp_path / "absent")


def test_a_page_without_its_style_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One sentence with the command in it, before anything is opened."""
    monkeypatch.setattr(assets, "FETCHED", (tmp_path / "govuk-frontend.min.css",))
    with pytest.raises(AssetsMissing, match="make assets"):
        PageOptions.read("127.0.0.1:0", None)


def test_the_style_is_there_after_make_dev() -> None:
    """What the browser tests are drawn with."""
    check_assets()
