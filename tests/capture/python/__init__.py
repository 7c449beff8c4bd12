"""One module for each Python instrumentor; each writes `py_<instrumentor>_<scenario>.pb`. See `capture/README.md`."""
