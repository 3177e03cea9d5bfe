"""Three brokers, cut apart and killed, under the product's own traffic: `python -m deploy.fault`."""
