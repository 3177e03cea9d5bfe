"""The timer rows that stand, as this process knows them: by their subject, and those that have fired.

In memory alone; what is true is in the store. Whoever asks the same thing every second is answered without a walk over
all rows.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from broker.timers.rows import TimerRow
from broker.timers.wheel import Row


class KnownRows:
    """The rows of all subjects, without those that have lapsed."""

    def __init__(self) -> None:
        self._by_subject: dict[str, dict[str, TimerRow]] = {}
        self._subject_of: dict[str, str] = {}
        self._fired: dict[str, TimerRow] = {}
        self._news: list[Row] = []

    @property
    def subjects(self) -> Collection[str]:
        """Whose rows they are."""
        return self._by_subject.keys()

    @property
    def fired(self) -> Collection[TimerRow]:
        """The rows that have fired."""
        return self._fired.values()

    def of(self, subject: str) -> Mapping[str, TimerRow]:
        """Give the rows of one subject by their keys."""
        return self._by_subject.get(subject, {})

    def put(self, rows: Iterable[TimerRow]) -> None:
        """Know rows from now on; one that is new or has moved is news to whoever fires."""
        for row in rows:
            known = self.of(row.subject).get(row.key)
            if known == row:
                continue
            self._by_subject.setdefault(row.subject, {})[row.key] = row
            self._subject_of[row.key] = row.subject
            if row.fired_at is not None:
                self._fired[row.key] = row
            elif known is None or known.due_at != row.due_at:
                self._news.append(Row(row.key, row.due_at))

    def drop(self, keys: Iterable[str]) -> None:
        """Forget rows: they have lapsed."""
        for key in keys:
            subject = self._subject_of.pop(key)
            del self._by_subject[subject][key]
            if not self._by_subject[subject]:
                del self._by_subject[subject]
            self._fired.pop(key, None)

    def note_fired(self, keys: Iterable[str], *, now: datetime) -> None:
        """Note of rows that they have fired; one that has lapsed meanwhile is nobody's any more."""
        standing = [self.of(self._subject_of[key])[key] for key in keys if key in self._subject_of]
        self.put([replace(row, fired_at=now) for row in standing if row.fired_at is None])

    def take_news(self) -> list[Row]:
        """Give what whoever fires has not been given yet."""
        news, self._news = self._news, []
        return news
