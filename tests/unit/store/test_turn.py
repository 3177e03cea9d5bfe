"""Whose turn it is to write: one at a time, in order, and what may not wait before what may."""

import asyncio

from adapters.kit.store.turn import Precedence, WriterTurn


class Writers:
    """Writers at one store, and the order in which they wrote."""

    def __init__(self) -> None:
        self.turn = WriterTurn()
        self.wrote: list[str] = []
        self.writing = 0

    async def write(self, name: str, precedence: Precedence = Precedence.USUAL) -> None:
        async with self.turn.taken(precedence):
            self.writing += 1
            assert self.writing == 1
            await asyncio.sleep(0)
            self.wrote.append(name)
            self.writing -= 1

    async def ask(self, *names: str, precedence: Precedence = Precedence.USUAL) -> list[asyncio.Task[None]]:
        """Let writers ask for their turn, in this order."""
        asked = [asyncio.create_task(self.write(name, precedence)) for name in names]
        await asyncio.sleep(0)
        return asked


async def test_writers_write_one_at_a_time_in_the_order_of_asking() -> None:
    """Nobody is passed over."""
    writers = Writers()
    await asyncio.gather(*await writers.ask("a", "b", "c"))
    assert writers.wrote == ["a", "b", "c"]


async def test_what_may_not_wait_stands_behind_nobody_but_whoever_writes_now() -> None:
    """A timer that falls due behind a crowd of routine work."""
    writers = Writers()
    async with writers.turn.taken():
        work = await writers.ask("work", precedence=Precedence.LAST)
        crowd = await writers.ask("b", "c")
        timers = await writers.ask("timer", "urgent", precedence=Precedence.FIRST)
    await asyncio.gather(*work, *crowd, *timers)
    assert writers.wrote == ["timer", "urgent", "b", "c", "work"]


async def test_a_writer_who_fails_passes_the_turn_on() -> None:
    """A fault in one transaction stops no other."""
    writers = Writers()

    async def fail() -> None:
        async with writers.turn.taken():
            await asyncio.sleep(0)
            raise LookupError

    failing = asyncio.create_task(fail())
    await asyncio.gather(failing, *await writers.ask("next"), return_exceptions=True)
    assert (type(failing.exception()), writers.wrote) == (LookupError, ["next"])


async def test_a_writer_who_gives_up_in_the_line_is_passed_over() -> None:
    """It neither writes nor keeps the turn."""
    writers = Writers()
    first, gone, last = await writers.ask("first", "gone", "last")
    gone.cancel()
    await asyncio.gather(first, gone, last, return_exceptions=True)
    assert writers.wrote == ["first", "last"]


async def test_a_writer_who_gives_up_in_the_moment_of_his_turn_passes_it_on() -> None:
    """The attack on the lock: a turn that nobody takes would stop the store for ever."""
    writers = Writers()
    holding = writers.turn.taken()
    await holding.__aenter__()
    gone, last = await writers.ask("gone", "last")
    await holding.__aexit__(None, None, None)  # the turn is given to `gone`, who has not run yet
    gone.cancel()
    await asyncio.gather(gone, last, return_exceptions=True)
    assert writers.wrote == ["last"]


async def test_a_turn_that_everybody_has_given_back_is_free() -> None:
    """Who comes later does not wait."""
    writers = Writers()
    for name in ("one", "two"):
        async with asyncio.timeout(10):
            await writers.write(name)
    assert writers.wrote == ["one", "two"]
