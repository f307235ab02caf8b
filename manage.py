#!/usr/bin/env python
"""Django's command line, for this project: `manage.py help` lists what it can do."""

import os
import sys
from typing import NoReturn


def main() -> None:
    """Run one management command. What an operator can mend is said in a sentence, and ends it with 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "badgerjobs.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import OperationalError

        from badgerjobs.embedded.layout import DataDirectoryError
        from badgerjobs.lib.connection_loss import reason_of
        from badgerjobs.lib.env import BadSettingError
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("badgerjobs"):
            raise
        end(
            f"{error.name} is not installed for {sys.executable}. Use .venv/bin/python manage.py … after `make up` or "
            "`.ci/install requirements.txt`."
        )

    try:
        execute_from_command_line(sys.argv)
    except (BadSettingError, DataDirectoryError, ImproperlyConfigured) as error:
        end(str(error))
    except OperationalError as error:
        if not (reason := reason_of(error)):
            raise
        end(f"No database answers at {where_it_was_sought()} ({reason})")


def where_it_was_sought() -> str:
    """Say where the database should be, and ask the likeliest question. Never a word of the password."""
    from django.conf import settings

    from badgerjobs.lib.listening import location

    host, port = settings.DATABASES["default"]["HOST"], settings.DATABASES["default"]["PORT"]
    place = location(host, int(port or 5432)) if host and host[0] != "/" else host or "the place that libpq looks at"
    return f"{place}: {'does `make up` run?' if settings.EMBEDDED else 'is it running, and is DATABASE_URL right?'}"


def end(sentence: str) -> NoReturn:
    """Say it on standard error and end with 2."""
    sys.stderr.write(f"manage.py: {sentence}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
