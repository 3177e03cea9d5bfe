"""The coordinator's side of the local authority: enquiries, fan-out, collation, decision, handover."""
