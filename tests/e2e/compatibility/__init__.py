"""Every golden payload through the gateway to servers of several MLflow versions, read back by each version's own client."""
