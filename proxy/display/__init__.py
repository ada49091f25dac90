"""Wireshark's display filters: text -> tree (parse.py) -> calls (compile.py). docs/display-filter.md says what is meant.

No Django, except in `ask`, where a question of either language becomes a call.
"""
