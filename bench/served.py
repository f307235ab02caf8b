"""The settings of the web process that WHAT=cache and WHAT=hooks measure: ours, and two addresses more."""

from badgerjobs.settings import *  # noqa: F403
from badgerjobs.settings import MIDDLEWARE as BEFORE

ROOT_URLCONF = "bench.served_urls"
MIDDLEWARE = ["bench.served_urls.bare", *BEFORE]
# What is measured is what a request costs, and not when it is refused.
CACHE_READS_PER_SECOND = RATE_LIMIT_PER_SECOND = 1_000_000
