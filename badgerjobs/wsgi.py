"""What gunicorn serves."""

import logging
import os
from importlib import import_module
from typing import Any

from django.core.wsgi import get_wsgi_application

from badgerjobs.web.late_bodies import in_time
from badgerjobs.web.logs import NoHookAddress
from badgerjobs.web.slow_readers import taken_in_time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "badgerjobs.settings")

application = taken_in_time(in_time(get_wsgi_application()))

# The server writes down itself what is no request, with its first line: a hook's address may stand there.
logging.getLogger("gunicorn.error").addFilter(NoHookAddress())

# Nor does it repeat that line on its page of an error, which a provider keeps, or shows to others.
_server: Any = import_module("gunicorn.util")
_write_error = _server.write_error
_server.write_error = lambda line, status, reason, _said: _write_error(line, status, reason, "")

# In each process that gunicorn makes: it reads this file there.
import_module("tasks.cache.counting").keep_writing()
