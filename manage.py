#!/usr/bin/env python
"""Django's command line, for this project: `manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    """Run one management command. A setting that cannot be used is said in a sentence, and ends it with 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "badgerjobs.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from badgerjobs.embedded.layout import DataDirectoryError
    from badgerjobs.lib.env import BadSettingError

    try:
        execute_from_command_line(sys.argv)
    except (BadSettingError, DataDirectoryError, ImproperlyConfigured) as error:
        sys.stderr.write(f"manage.py: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
