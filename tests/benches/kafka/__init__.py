"""What a consumer group of gateways takes, what a rebalance costs, and what MLflow itself takes. `make bench-kafka` runs it."""
