"""What happens between `spacetime …` and the selected version's command line taking over.

These modules run before every command, and may be compiled into a native program. Each of them
imports only `os`, `sys`, `time` and its neighbours: no `typing`, no `dataclasses`, no `json`, no `re`.
`tests/update/test_proxy_imports.py` holds them to it. Paths are plain strings here for the same reason.
"""
