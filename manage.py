#!/usr/bin/env python
"""Django's command line for picapweb. `manage.py up` starts everything on this machine."""

import os
import sys


def take_data_folder(arguments: list[str]) -> None:
    """--data DIR of any command, into the environment: settings are read before a command parses its arguments."""
    for at, argument in enumerate(arguments):
        if argument == "--":
            return
        if argument == "--data" and at + 1 < len(arguments):
            os.environ["PICAPWEB_DATA"] = arguments[at + 1]
        elif argument.startswith("--data="):
            os.environ["PICAPWEB_DATA"] = argument.removeprefix("--data=")


def main() -> None:
    take_data_folder(sys.argv[1:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(f"Django is not installed here ({error}). script/server sets everything up.") from error
    from picapweb.environment import BadSetting

    try:
        execute_from_command_line(sys.argv)
    except BadSetting as error:
        raise SystemExit(f"picapweb: {error}") from None


if __name__ == "__main__":
    main()
