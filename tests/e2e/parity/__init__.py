"""Parity: what MLflow makes of a payload itself, against what it holds after the gateway has delivered the same one.

`pair` gives each copy trace ids of its own and reads it back, `observe` turns what MLflow shows into plain values,
`compare` lists where two of those differ.
"""
