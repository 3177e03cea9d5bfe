"""What a running adapter does besides carrying messages: fresh directory, keys in time, signs of life, deaf hubs.

Each chore runs until it is cancelled. A chore that fails for the world's reasons says so in the log and goes on; only
`HubSilent` ends the adapter, so that the service manager starts it anew and somebody is told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final

import structlog

from adapters.kit.delivery.alarm_courier import AlarmCourier
from adapters.kit.keys.keyring import Keyring, NoSigningKey
from adapters.kit.running.adapter import Adapter
from adapters.kit.running.departures import Departures
from adapters.kit.running.directory_alarms import tell_directory_alarms
from adapters.kit.running.heartbeats import beat
from adapters.kit.running.key_alarms import tell_key_alarms
from adapters.kit.running.manifests import Manifests
from adapters.kit.running.partners import REFRESH_EVERY, Partners
from adapters.kit.running.retention import Retention
from adapters.kit.store.alarms import Alarm, Priority
from adapters.kit.store.errors import StoreUnavailable
from adapters.kit.store.store import Store
from broker.directory.client import NoDirectory
from broker.hub import HubConnection
from schemas.directory import Directory
from schemas.routing import Lane

ALARMS_EVERY: Final = timedelta(seconds=15)
KEYS_EVERY: Final = timedelta(hours=6)
DEPARTURES_EVERY: Final = timedelta(minutes=1)
RECONCILED_EVERY: Final = timedelta(minutes=1)
HEARTBEATS_EVERY: Final = timedelta(minutes=30)
RETENTION_EVERY: Final = timedelta(hours=1)
LOOK_EVERY: Final = timedelta(seconds=15)
SILENCE_LIMIT: Final = timedelta(minutes=10)

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


class HubSilent(Exception):
    """No lane has received anything, not even a sign of life, for ten minutes; the adapter stops to be started anew."""


async def keep_directory(
    partners: Partners, *, clock: Clock, store: Store | None = None, sleep: Sleep = asyncio.sleep
) -> None:
    """Refresh the directory every quarter of an hour; the last good one stays in use when that fails (M6).

    What a refresh found wrong is an alarm in `store`.
    """
    log = structlog.get_logger()
    while True:
        try:
            changed = await partners.refresh(now=clock())
            done = partners.last()
            if store is not None and done is not None:
                await tell_directory_alarms(store, done)
        except Exception as fault:
            log.error("directory not refreshed", exc_info=fault)
        else:
            if changed:
                log.info("directory changed", version=partners.current().version)
        await sleep(REFRESH_EVERY.total_seconds())


async def keep_keys(
    keyring: Keyring,
    *,
    clock: Clock,
    store: Store | None = None,
    partners: Partners | None = None,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Make keys before they are needed and erase those whose window is over; forward secrecy rests on the erasing.

    What a person has to do about them is an alarm in `store`.
    """
    log = structlog.get_logger()
    while True:
        try:
            made = await asyncio.to_thread(keyring.rotate, clock())
            erased = await asyncio.to_thread(keyring.erase_expired, clock())
        except Exception as fault:
            log.error("keys not tended", exc_info=fault)
        else:
            if made:
                log.warning("new keys: hand in the record with mash directory publish-record", count=made)
            if erased:
                log.info("keys erased", count=erased)
        if store is not None and partners is not None:
            await _ring_for_keys(keyring, store=store, partners=partners, now=clock())
        await sleep(KEYS_EVERY.total_seconds())


async def _ring_for_keys(keyring: Keyring, *, store: Store, partners: Partners, now: datetime) -> None:
    try:
        seen = partners.current().participant(keyring.participant)
        await tell_key_alarms(store, keyring, seen=seen, now=now)
    except Exception as fault:
        structlog.get_logger().error("keys not looked at", exc_info=fault)


async def keep_alarms(store: Store, *, sleep: Sleep = asyncio.sleep) -> None:
    """Write every alarm into the log, where the machine's own watching finds it; `mash alarms list` shows the rest."""
    log, courier = structlog.get_logger(), AlarmCourier(store, _into_the_log)
    while True:
        try:
            await courier.run_once()
        except StoreUnavailable as fault:
            log.error("alarms not told", exc_info=fault)
        await sleep(ALARMS_EVERY.total_seconds())


async def _into_the_log(alarm: Alarm) -> bool:
    log = structlog.get_logger()
    say = log.error if alarm.priority is Priority.P1 else log.warning
    say("alarm: see mash alarms list", code=alarm.code, reference=alarm.alarm_id)
    return True


async def keep_heartbeats(
    store: Store, *, participant: str, directory: Callable[[], Directory], sleep: Sleep = asyncio.sleep
) -> None:
    """Give every partner a sign of life a day; the day's first look is at the start."""
    log = structlog.get_logger()
    while True:
        try:
            made = await beat(store, participant=participant, directory=directory())
        except StoreUnavailable as fault:
            log.error("no heartbeat sent", exc_info=fault)
        else:
            if made:
                log.info("heartbeats sent", count=made)
        await sleep(HEARTBEATS_EVERY.total_seconds())


async def keep_departures(departures: Departures, *, sleep: Sleep = asyncio.sleep) -> None:
    """Tell our own people what was in flight with a partner that has left, soon after the directory says so."""
    log = structlog.get_logger()
    while True:
        try:
            ended = await departures.tell()
        except (StoreUnavailable, NoDirectory) as fault:
            log.error("departures not told", exc_info=fault)
        else:
            if ended:
                log.warning("a partner has left: its requests ended", count=ended)
        await sleep(DEPARTURES_EVERY.total_seconds())


async def keep_reconciled(manifests: Manifests, connection: HubConnection, *, sleep: Sleep = asyncio.sleep) -> None:
    """Compare the hub's manifests with our books when they are due, send the answers, and miss what does not come."""
    log = structlog.get_logger()
    while True:
        try:
            await manifests.compare_due()
            await manifests.notice_missing()
            await manifests.answer_due(connection)
        except (StoreUnavailable, NoSigningKey, NoDirectory) as fault:
            log.error("manifests not compared", exc_info=fault)
        await sleep(RECONCILED_EVERY.total_seconds())


async def keep_retention(retention: Retention, *, sleep: Sleep = asyncio.sleep) -> None:
    """Erase what is due by the schedule, every hour; what is not settled is kept, and somebody is told (REC-07)."""
    log = structlog.get_logger()
    while True:
        try:
            done = await retention.run_once()
        except StoreUnavailable as fault:
            log.error("retention waits for the store", exc_info=fault)
        else:
            if done.erased:
                log.info("content erased by schedule", count=len(done.erased))
            if done.kept_back:
                log.warning("content kept although it is due: not settled yet", count=len(done.kept_back))
        await sleep(RETENTION_EVERY.total_seconds())


async def notice_silence(
    connection: HubConnection, *, now: Callable[[], float] = monotonic, sleep: Sleep = asyncio.sleep
) -> None:
    """Watch that some lane is alive. Raises `HubSilent` after ten minutes without any."""
    alive_at = now()
    while True:
        if any(connection.alive(lane) for lane in Lane):
            alive_at = now()
        elif now() - alive_at > SILENCE_LIMIT.total_seconds():
            raise HubSilent
        await sleep(LOOK_EVERY.total_seconds())


def chores_of(adapter: Adapter, partners: Partners, connection: HubConnection) -> tuple[Coroutine[Any, Any, None], ...]:
    """Give every chore of one running adapter; each is to be awaited once, or closed."""
    return (
        keep_directory(partners, clock=adapter.clock, store=adapter.store),
        keep_keys(adapter.keyring, clock=adapter.clock, store=adapter.store, partners=partners),
        keep_heartbeats(adapter.store, participant=adapter.settings.file.participant, directory=partners.current),
        keep_departures(adapter.departures),
        keep_reconciled(adapter.manifests, connection),
        keep_retention(adapter.retention()),
        keep_alarms(adapter.store),
        notice_silence(connection),
    )
