"""Parity: what MLflow makes of a payload itself, against what it holds after the bridge has delivered the same one.

`observe` reads both copies into plain values, `compare` lists where they differ, `rules` says which differences are
meant and why. `pair` posts the payloads.
"""
