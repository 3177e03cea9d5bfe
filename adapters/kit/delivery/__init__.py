"""Outbox and inbox: nothing lost, nothing twice, whatever crashes between the commit and the acknowledgement."""
