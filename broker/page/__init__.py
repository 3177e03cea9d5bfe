"""The operations page: who owes what by when, what stands in the way, and whom to ring now.

`words` and `sentences` put times and alerts into words; `board` is one moment, with what the book of alerts says of
it; `wall`, `calls`, `agencies`, `endings`, `stories` and `pages` make models out of a board: all of them pure.
`live` tells open pages that what they show has changed; `access` and `guard` decide who may see what; `app` answers.
It knows what the watch knows: references, participants, ratings and times, and no person.
"""
