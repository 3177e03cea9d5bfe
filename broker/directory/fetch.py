"""How a directory is fetched: over https with a TLS context of the caller's, or from a folder of this machine.

Nothing fetched is trusted: python-tuf verifies it, and cuts off what is longer than it may be.
No redirect is followed and no proxy of the environment is used, because both would tell others whom we ask.
"""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2
from tuf.api.exceptions import DownloadError, DownloadHTTPError

from broker.directory.tuf import FetcherInterface

TIMEOUT: Final = httpx2.Timeout(20.0)


class FolderFetcher(FetcherInterface):
    """Fetches from a folder of this machine, for the hub itself and for places that carry the directory by hand."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(urlsplit(url).path)
        if not path.is_file():
            raise DownloadHTTPError("not there", 404)
        yield path.read_bytes()


class HttpsFetcher(FetcherInterface):
    """Fetches over https, with our authority and certificate if the context has them."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context or ssl.create_default_context()

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            with (
                httpx2.Client(verify=self._context, timeout=TIMEOUT, trust_env=False, follow_redirects=False) as client,
                client.stream("GET", url) as answer,
            ):
                if answer.status_code != httpx2.codes.OK:
                    raise DownloadHTTPError("refused", answer.status_code)
                yield from answer.iter_bytes()
        except httpx2.HTTPError as failed:
            raise DownloadError(type(failed).__name__) from failed


def fetcher_for(source: str, *, context: ssl.SSLContext | None = None) -> tuple[FetcherInterface, str]:
    """Give the fetcher and the base address of a source: an https address, or a folder. Raises `ValueError`."""
    scheme = urlsplit(source).scheme
    if scheme == "https":
        return HttpsFetcher(context), source.rstrip("/")
    if scheme in ("", "file"):
        return FolderFetcher(), Path(urlsplit(source).path).resolve().as_uri()
    raise ValueError("a directory is fetched over https or from a folder")
