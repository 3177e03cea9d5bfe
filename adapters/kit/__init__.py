"""What every adapter is made of: keys, sealing, store, outbox, inbox, records, matching, disclosure."""
