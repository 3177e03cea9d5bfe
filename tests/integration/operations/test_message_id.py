"""Where a name goes that a sender puts into a property which every client sets: nowhere behind the broker.

No permission or policy of RabbitMQ looks at properties, so the broker itself carries and stores what is written there,
as it does with a header, until the message is taken: whoever takes it forgets it. What the watch keeps (ledger,
quarantine, book of alerts), shows (metrics) and says (log) is held against the name here, for an honest envelope and
for one that is refused.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import fields
from pathlib import Path

import aio_pika
import structlog
from prometheus_client import generate_latest

from broker import logs
from broker.alerts.log import log_alert
from broker.hub import Delivery
from broker.topology import MONITOR, Topology
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.routing import Lane, ingress_exchange, routing_key
from schemas.stub import Event
from tests.integration.watch.watching import World, watching
from tests.support.hubs import RabbitHub, rabbit_hub, until
from tests.support.trio import Inbox
from tests.unit.watch.traffic import LA, POLICE, Post, directory

NAME = "Tilly-Ashgrove-Test"


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Give what our programs' own log says, as the operator configures it."""
    said, before = io.StringIO(), structlog.get_config()
    with redirect_stderr(said):
        logs.configure()
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(said))
        yield said
    structlog.configure(**before)


async def stuff(hub: RabbitHub, *bodies: bytes) -> None:
    """Publish as an agency that speaks AMQP itself, with a name in the one text that an honest client fills."""
    async with await aio_pika.connect(hub.address(LA)) as connection:
        channel = await connection.channel(on_return_raises=True)
        target = await channel.get_exchange(ingress_exchange(LA), ensure=False)
        for body in bodies:
            named = aio_pika.Message(body, message_id=NAME)
            await target.publish(named, routing_key=routing_key(POLICE, Lane.URGENT))


def kept_in(folder: Path) -> bytes:
    """Read every byte of the ledger's files."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_a_delivery_has_no_place_for_what_a_sender_wrote_beside_the_bytes() -> None:
    """Structure: what is handed to watch and inbox holds the bytes, and what the broker itself vouches for."""
    assert {one.name for one in fields(Delivery)} == {"ingress_owner", "lane", "body", "has_cc", "redelivered"}


async def test_a_name_in_the_message_id_is_in_no_ledger_row_metric_alert_or_log_of_the_watch(
    rabbitmq: LocalRabbitMQ, tmp_path: Path
) -> None:
    """SEC-02, the attack: beside a genuine envelope, and beside rubbish that is refused and set aside."""
    world = World(directory=directory())
    genuine = Post(world.directory).write(LA, POLICE, Event.REQUEST).body
    inbox, url = Inbox(), f"sqlite:///{tmp_path}/ledger.sqlite"
    with logged() as said:
        async with (
            rabbit_hub(rabbitmq, Topology.of(world.directory)) as hub,
            watching(url, world, sinks=(world.sink, log_alert)) as opened,
        ):
            await opened.watch.listen(await hub.connect(MONITOR))
            police = await hub.connect(POLICE)
            await police.consume(Lane.URGENT, inbox)
            await stuff(hub, genuine, b"rubbish")
            await inbox.until(2)
            await until(lambda: opened.value("mash_stubs_refused_total", participant=LA, code="E01") > 0)
            await opened.watch.round()
            entries = (await opened.ledger.head()).entries
            shown = generate_latest(opened.watch.telemetry.registry).decode()
        told = said.getvalue()
    kept = kept_in(tmp_path)
    assert (entries, b"testford-la" in kept, "refused" in shown, "refused" in told) == (1, True, True, True)
    for place in (kept.decode("latin-1"), shown, told, repr(inbox.taken), repr(world.told)):
        assert NAME not in place
