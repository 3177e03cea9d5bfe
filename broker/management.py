"""Reads a RabbitMQ over its management interface as a `State`, and makes the changes of a plan.

The one place that knows the interface's paths. Whoever calls it holds the operator's account; nothing that runs all
the time does. A user who lost an access is also disconnected: RabbitMQ checks permissions when a consumer starts, and
not again (REC-06).
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import httpx2

from broker.draining import drain
from broker.errors import ManagementRefused, Misuse, Unreachable
from broker.provision import Action, ByPassword, Change, Item, Kind, State, desired_state, participant_url, plan
from broker.topology import Topology

DEFAULT_PORT: Final = 15672
_TIMEOUT_SECONDS: Final = 20.0
_PERSONAL: Final = frozenset({Kind.USER, Kind.PERMISSION, Kind.USER_LIMIT, Kind.TOPIC_PERMISSION})
"""What belongs to a user; an administrator's is the operators' own affair, and `mash-hub doctor` names it."""


@dataclass(frozen=True)
class Management:
    """An open management interface, looking at one vhost as one operator."""

    client: httpx2.AsyncClient
    vhost: str
    operator: str

    async def get(self, path: str) -> Any:
        """Read `path`. Raises `ManagementRefused` and `Unreachable`."""
        return (await self._call("GET", path)).json()

    async def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Write `body` to `path`."""
        await self._call("PUT", path, body=body)

    async def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Add `body` under `path`."""
        await self._call("POST", path, body=body)

    async def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """Post `body` to `path` and give the answer."""
        return (await self._call("POST", path, body=body)).json()

    async def delete(self, path: str) -> None:
        """Remove what is at `path`; it may be gone already."""
        await self._call("DELETE", path, absent_is_fine=True)

    async def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, absent_is_fine: bool = False
    ) -> httpx2.Response:
        try:
            answer = await self.client.request(method, f"/api/{path}", json=body)
        except httpx2.TransportError:
            raise Unreachable("(the management interface)") from None
        if answer.is_error and not (absent_is_fine and answer.status_code == httpx2.codes.NOT_FOUND):
            raise ManagementRefused(f"({answer.status_code} on {method} {path})")
        return answer


@asynccontextmanager
async def open_management(url: str, *, vhost: str) -> AsyncIterator[Management]:
    """Open the management interface at `url` (`http://operator:password@host:15672`)."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    async with httpx2.AsyncClient(
        base_url=base, auth=(user, password), timeout=_TIMEOUT_SECONDS, trust_env=False
    ) as client:
        yield Management(client, vhost, user)


def management_url_of(amqp_url: str) -> str:
    """Guess the management address of a broker from its administrator's AMQP address: same host, default port."""
    parts = urlsplit(amqp_url)
    account = parts.netloc.rpartition("@")[0]
    return f"http://{account}@{parts.hostname}:{DEFAULT_PORT}"


def vhost_of(amqp_url: str) -> str:
    """Read the vhost out of an AMQP address, the first of several; `mash` where it names none."""
    return unquote(urlsplit(amqp_url.partition(",")[0].strip()).path.removeprefix("/")) or "mash"


async def ensure_vhost(management: Management) -> None:
    """Make the vhost and let the operator work in it, if that is not so yet."""
    vhost = _part(management.vhost)
    await management.put(f"vhosts/{vhost}", {})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    await management.put(f"permissions/{vhost}/{_part(management.operator)}", everything)


async def read_state(management: Management) -> State:
    """Read what the broker holds, but for its own exchanges and its administrators; `guest` is never one of those."""
    vhost, items = _part(management.vhost), dict[Item, Mapping[str, Any]]()
    exists = management.vhost in [row["name"] for row in await management.get("vhosts")]
    for path, rows in _READERS.items():
        if exists or "{vhost}" not in path:
            for row in await management.get(path.format(vhost=vhost)):
                items |= rows(row)
    administrators = {
        item.name[0]
        for item, settings in items.items()
        if item.kind is Kind.USER and "administrator" in settings["tags"] and item.name != ("guest",)
    }
    return {item: it for item, it in items.items() if not (item.kind in _PERSONAL and item.name[0] in administrators)}


async def apply(management: Management, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Make the changes in order, cut off whoever lost something, and give back the conflicts, which nobody made.

    Raises `NotEmpty` where the queue of somebody who has left cannot be emptied yet.
    """
    conflicts = []
    for change in changes:
        if change.action is Action.CONFLICT:
            conflicts.append(change)
        elif change.action is Action.DRAIN:
            await drain(management, change.item.name[0])
        elif change.action is Action.DELETE:
            await _delete(management, change.item)
        else:
            await _make(management, change)
        if change.item.kind in (Kind.PERMISSION, Kind.USER) and change.action in (Action.UPDATE, Action.DELETE):
            await cut_off(management, change.item.name[0])
    return tuple(conflicts)


async def cut_off(management: Management, user: str) -> None:
    """Close every connection of `user`; a legitimate one comes back by itself, with today's permissions."""
    await management.delete(f"connections/username/{_part(user)}")


async def provision_for_development(
    admin_url: str, *, topology: Topology, management_url: str | None = None
) -> Callable[[str], str]:
    """Make the broker of `admin_url` carry `topology` with password accounts; give each participant's address.

    Deletes nothing: the broker may be shared. Raises `Unreachable`, `ManagementRefused` and `Misuse`.
    """
    accounts = ByPassword(unquote(urlsplit(admin_url).password or ""))
    if urlsplit(admin_url).username in topology.users:
        raise Misuse("(the operator's account is called like a participant)")
    async with open_management(management_url or management_url_of(admin_url), vhost=vhost_of(admin_url)) as management:
        await ensure_vhost(management)
        desired = desired_state(topology, accounts=accounts)
        await apply(management, plan(desired, await read_state(management), prune=False))

    def address(participant: str) -> str:
        return participant_url(admin_url, participant=participant, accounts=accounts)

    return address


def _part(text: str) -> str:
    return quote(text, safe="")


def _path(item: Item, *, vhost: str) -> str:
    where = _part(vhost)
    parts = [_part(part) for part in item.name]
    paths: Mapping[Kind, Callable[[], str]] = {
        Kind.VHOST_LIMIT: lambda: f"vhost-limits/{where}/{parts[0]}",
        Kind.USER: lambda: f"users/{parts[0]}",
        Kind.USER_LIMIT: lambda: f"user-limits/{parts[0]}/{parts[1]}",
        Kind.PERMISSION: lambda: f"permissions/{where}/{parts[0]}",
        Kind.TOPIC_PERMISSION: lambda: f"topic-permissions/{where}/{parts[0]}",
        Kind.POLICY: lambda: f"policies/{where}/{parts[0]}",
        Kind.EXCHANGE: lambda: f"exchanges/{where}/{parts[0]}",
        Kind.QUEUE: lambda: f"queues/{where}/{parts[0]}",
        Kind.BINDING: lambda: f"bindings/{where}/e/{parts[0]}/q/{parts[1]}",
    }
    return paths[item.kind]()


async def _make(management: Management, change: Change) -> None:
    path = _path(change.item, vhost=management.vhost)
    if change.item.kind is Kind.BINDING:
        await management.post(path, {"routing_key": change.item.name[2], "arguments": {}})
    else:
        await management.put(path, change.settings)


async def _delete(management: Management, item: Item) -> None:
    path = _path(item, vhost=management.vhost)
    if item.kind is Kind.BINDING:
        path = f"{path}/{_part(item.name[2]) or '~'}"  # the interface names a binding without key by a tilde
    await management.delete(path)


def _limits(kind: Kind, row: Mapping[str, Any], *, owner: Sequence[str]) -> State:
    return {Item(kind, (*owner, name)): {"value": value} for name, value in row["value"].items()}


def _user(row: Mapping[str, Any]) -> State:
    tags = row["tags"]  # a list since 3.8, a string with commas before
    text = tags if isinstance(tags, str) else ",".join(tags)
    return {Item(Kind.USER, (row["name"],)): {"password_hash": row["password_hash"], "tags": text}}


def _exchange(row: Mapping[str, Any]) -> State:
    if not row["name"] or row["name"].startswith("amq."):  # the broker's own
        return {}
    kept = ("type", "durable", "auto_delete", "internal", "arguments")
    return {Item(Kind.EXCHANGE, (row["name"],)): {key: row[key] for key in kept}}


def _queue(row: Mapping[str, Any]) -> State:
    return {Item(Kind.QUEUE, (row["name"],)): {key: row[key] for key in ("durable", "auto_delete", "arguments")}}


def _binding(row: Mapping[str, Any]) -> State:
    if not row["source"]:  # every queue is bound to the nameless exchange, which nobody may write
        return {}
    return {Item(Kind.BINDING, (row["source"], row["destination"], row["routing_key"])): {}}


def _policy(row: Mapping[str, Any]) -> State:
    kept = ("pattern", "priority", "apply-to", "definition")
    return {Item(Kind.POLICY, (row["name"],)): {key: row[key] for key in kept}}


def _permission(row: Mapping[str, Any]) -> State:
    return {Item(Kind.PERMISSION, (row["user"],)): {key: row[key] for key in ("configure", "write", "read")}}


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], State]]] = {
    "vhost-limits/{vhost}": lambda row: _limits(Kind.VHOST_LIMIT, row, owner=()),
    "users": _user,
    "user-limits": lambda row: _limits(Kind.USER_LIMIT, row, owner=(row["user"],)),
    "vhosts/{vhost}/permissions": _permission,
    "vhosts/{vhost}/topic-permissions": lambda row: {Item(Kind.TOPIC_PERMISSION, (row["user"],)): {}},
    "policies/{vhost}": _policy,
    "exchanges/{vhost}": _exchange,
    "queues/{vhost}?disable_stats=true&enable_queue_totals=true": _queue,
    "bindings/{vhost}": _binding,
}
