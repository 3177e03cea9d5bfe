"""What every adapter is made of, a room for each concern.

`keys` and `envelope` seal and open, `evidence` proves; `store` and `delivery` lose nothing; `lookup` finds and matches;
`disclosure` decides; `lawful` asks whether it may; `desk` is where a practitioner works; `running` puts one adapter
together.
"""
