"""What gunicorn serves."""

import logging
import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from badgerjobs.web.logs import NoHookAddress

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "badgerjobs.settings")

application = get_wsgi_application()

# The server writes down itself what is no request, with its first line: a hook's address may stand there.
logging.getLogger("gunicorn.error").addFilter(NoHookAddress())

# In each process that gunicorn makes: it reads this file there.
import_module("tasks.cache.counting").keep_writing()
