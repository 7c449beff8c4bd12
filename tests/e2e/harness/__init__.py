"""Real servers for the end-to-end tests, and the ways to talk to them. Everything listens on 127.0.0.1."""
