"""The conservation oracle: known spans through a host that is killed, before servers that fail, and the account of them."""
