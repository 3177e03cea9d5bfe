"""What an alert means and what to do about it, in one table; the order is that of gravity.

A sentence is filled from the alert alone: participant names of the directory, ratings, references, counts.
A kind that is not here yet is still shown, under its own name, after all others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.alerts import Alert, AlertKind
from broker.page.words import count


@dataclass(frozen=True)
class Sentence:
    """What is the matter (with places for peer, rating or code, and number), and what to do.

    `act` is for whoever watches and rings; `own` is for the desk itself, and empty where that is the same.
    """

    what: str
    act: str
    own: str = ""


SENTENCES: Final[Mapping[AlertKind, Sentence]] = {
    AlertKind.NOBODY_READING: Sentence(
        "Nobody is reading the inbox: {requests} unopened",
        "Ask whether anybody is at the desk and whether the adapter is running.",
        "Open your inbox now. If it stays empty, ring whoever runs your adapter.",
    ),
    AlertKind.UNDELIVERED: Sentence(
        "A {code} request from {peer} has not arrived",
        "Ask whether the adapter and its connection are running.",
        "Ring whoever runs your adapter: it does not take messages in.",
    ),
    AlertKind.ESCALATED: Sentence(
        "The answer to a {code} request from {peer} is overdue by a quarter of its time",
        "Ring the agency's safeguarding lead. The decision maker may go on without the answer.",
        "Answer it now, or ring {peer}: they may go on without you.",
    ),
    AlertKind.BREACHED: Sentence(
        "The answer to a {code} request from {peer} is overdue",
        "Ask when the answer will come. If nobody can say, ring the deputy.",
        "Answer it, or ring {peer} and say when the answer will come.",
    ),
    AlertKind.UNREAD: Sentence(
        "Nobody has opened a {code} request from {peer}",
        "Ask a person to open it and say so.",
        "Open it in your inbox now.",
    ),
    AlertKind.INCIDENT: Sentence(
        "A clock that was started by hand has rung ({code})",
        "Run mash-hub clock list. Stop the clock when what it waits for is done.",
    ),
    AlertKind.NOBODY_TO_TELL: Sentence(
        "An alert cannot be told to anybody ({code})",
        "Ring the desk yourself, and add who is on duty to the duty file.",
    ),
    AlertKind.UNACKNOWLEDGED: Sentence(
        "Everybody was told of an alert and nobody has seen it ({code})",
        "Ring the desk, its deputy and its lead until a person answers.",
        "Look through the alerts below and say that you have seen them.",
    ),
    AlertKind.NOT_TOLD: Sentence(
        "Alerts do not get through ({code})",
        "Ring instead. Then mend the way: mail server, GOV.UK Notify key or webhook.",
        "Ring whoever runs the hub: it cannot reach you by that way.",
    ),
    AlertKind.DUTY_FILE: Sentence(
        "The new duty file is not in use ({code}); the last good one is",
        "Run mash-hub alerts check on it: every place and what to write there is named.",
    ),
    AlertKind.WATCH_DEAF: Sentence(
        "The watch does not hear the {code} lane",
        "Run mash-hub doctor. Until it hears again, this page shows too little.",
    ),
    AlertKind.LEDGER_BROKEN: Sentence(
        "The ledger is not as it was written ({code})",
        "Change nothing. Run mash-hub ledger verify and ring the information sharing lead.",
    ),
    AlertKind.EQUIVOCATION: Sentence(
        "Was shown another directory than the one that is published",
        "Send nothing to them. Ring the registrar: somebody may have forged a directory.",
    ),
    AlertKind.FORK: Sentence(
        "Two messages to {peer} carry the same number",
        "Ask whether a backup was restored. If not, treat the key as copied and revoke it.",
    ),
    AlertKind.GAP: Sentence(
        "{messages} to {peer} never passed the hub",
        "Ask what was sent and compare the daily manifests.",
        "Say what was sent, and compare the daily manifests with the hub.",
    ),
    AlertKind.UNRECONCILED: Sentence(
        "Its books and the hub's differ on {messages} with {peer}",
        "Ask which one its alarms name; it is in the daily manifest of both ends.",
        "Look at mash's alarms: the message is named there. Send it again, or ask for it again.",
    ),
    AlertKind.DEAD_LETTERED: Sentence(
        "{messages} could not be taken by the recipient",
        "Run mash-hub dead and send them on when the reason is gone.",
    ),
    AlertKind.UNRECEIPTED: Sentence(
        "{messages} from {peer} without a receipt",
        "Ask whether the adapter is running.",
        "Ring whoever runs your adapter: it does not take messages in.",
    ),
    AlertKind.FLOOD: Sentence(
        "Began {count} threads more than the watch can follow",
        "Ask what is sending. Suspend the agency if nobody knows.",
    ),
    AlertKind.REFUSED: Sentence(
        "{messages} refused ({code})",
        "Run mash-hub ledger refused for the reason.",
    ),
    AlertKind.KEY_EXPIRY: Sentence(
        "{code} at its end",
        "Ask why it was not renewed: traffic stops with it.",
        "Ring whoever runs your adapter: nothing can be sent or read without it.",
    ),
    AlertKind.CLOCK: Sentence(
        "This machine's clock was moved",
        "Set it right. Until then the watch goes by its own.",
    ),
    AlertKind.DIRECTORY: Sentence(
        "The partners' directory cannot be read ({code})",
        "Check the repository. The last good directory is in use.",
    ),
    AlertKind.HUB_UNREADABLE: Sentence(
        "The broker does not give its figures",
        "Run mash-hub doctor. Queues are not shown until it answers.",
    ),
    AlertKind.RULE_FAILED: Sentence(
        "A rule of the watch failed ({code})",
        "Tell whoever maintains the hub. The other rules still run.",
    ),
    AlertKind.SILENT: Sentence(
        "Nothing heard for more than a day",
        "Ask whether the adapter is running.",
        "Ring whoever runs your adapter: it has sent nothing.",
    ),
    AlertKind.NO_DUTY_CONTACT: Sentence(
        "No duty telephone number in the directory",
        "Ask for the number and have the record signed with it.",
        "Publish your desk's telephone number: nobody can ring you.",
    ),
    AlertKind.WARNING: Sentence(
        "Four fifths of the time for a {code} request from {peer} are gone",
        "Ring the contact officer and ask when the answer will come.",
        "Answer it, or ring {peer} and say when the answer will come.",
    ),
    AlertKind.NUDGE: Sentence(
        "Half of the time for a {code} request from {peer} is gone",
        "Remind the contact officer.",
        "Answer it in time.",
    ),
    AlertKind.AWAITED: Sentence(
        "{peer} owes an answer to a {code} request, and it is overdue",
        "No call is needed here: {peer}, which owes it, is rung.",
        "Ring {peer}. The decision maker may go on without the answer, and says so.",
    ),
    AlertKind.AGREEMENT: Sentence(
        "{code}",
        "Put it before the governance group.",
    ),
    AlertKind.CALENDAR: Sentence(
        "The bank holidays or terms of {code} are not known",
        "Add them to the calendars' file, or due times will be wrong.",
    ),
}
SENT_BACK: Final = Sentence(
    "A {code} request to {peer} was sent back with a question and is overdue",
    "Ask them to answer the question, so that the clock of {peer} can run.",
    "Answer the question of {peer}: your request waits for it.",
)
_GRAVITY: Final = {kind: place for place, kind in enumerate(SENTENCES)}
_CODES: Final = {
    "signing_key": "Signing key",
    "sealing_key": "Sealing key",
    "certificate": "Certificate for the broker",
    "directory": "Signature of the directory",
    "review": "Review of an agreement",
    "agreement_end": "End of an agreement",
    "notice": "End of a notice",
    "attestation": "Attestation",
    "breach_alert": "Data breach, time since it was known",
    "breach_due": "Data breach, the 72 hours are over",
    "subject_access_warning": "Subject access request, soon due",
    "subject_access_due": "Subject access request, due",
    "disagreement_due": "Professional disagreement, stage over",
    "marac_minutes_due": "Minutes of the MARAC, due",
}


def gravity(alert: Alert) -> int:
    """Rank an alert: the lowest is the gravest, an unknown kind comes last."""
    return _GRAVITY.get(alert.kind, len(_GRAVITY))


def sentence(alert: Alert, *, peer: str, sent_back: bool = False) -> Sentence:
    """Say what an alert means. `peer` is the other end's name; `sent_back`: it is the asker who has to move."""
    plain = SENT_BACK if sent_back else SENTENCES.get(alert.kind, _unknown(alert))
    places = {
        "peer": peer or "a partner",
        "code": spoken(alert.code),
        "count": f"{alert.count:,}",
        "requests": count(alert.count, "request"),
        "messages": count(alert.count, "message"),
    }
    return Sentence(plain.what.format(**places), plain.act.format(**places), plain.own.format(**places))


def spoken(code: str) -> str:
    """Say a code in words where there are any: `sealing_key:team` is the sealing key of the role `team`."""
    head, tail = next((parts for mark in ":." if (parts := _cut(code, mark))[0] in _CODES), (code, ""))
    words = _CODES.get(head, head)
    return f"{words} ({tail.replace('_', ' ')})" if tail else words


def _cut(code: str, mark: str) -> tuple[str, str]:
    head, _, tail = code.partition(mark)
    return head, tail


def _unknown(alert: Alert) -> Sentence:
    what = alert.kind.value.replace("_", " ").capitalize()
    return Sentence(what + (" ({code})" if alert.code else ""), "Look in the runbook under this name.")
