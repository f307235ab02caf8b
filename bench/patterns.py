"""WHAT=patterns: how long it takes to find the keys that a pattern means, in milliseconds: names and count together.

Of `--names` keys of one application, beside as many of another's.
"""

import math
import time
from argparse import Namespace
from typing import Any

from django.db import connection

from badgerjobs.runs import fleet
from badgerjobs.sources.models import DataSource, SourceType
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.services import create_application
from bench.report import say, table
from bench.rows import settle
from tasks.models import CacheKey, Selection
from tasks.selection import names

GOAL_MS = 200
ROUNDS = 11
STEP = 100_000
# Names of several sorts, in no order; one key in a thousand has a tag that few have.
_FILL = r"""
INSERT INTO tasks_cachekey (application_id, source_id, name, variables, tags, created_at, updated_at)
SELECT %(application)s, %(source)s,
       CASE n %% 10 WHEN 0 THEN 'order:' || n || ':summary' WHEN 1 THEN 'user/' || n || '_100%%'
                    WHEN 2 THEN 'price of "' || n || '"' WHEN 3 THEN 'path\' || n WHEN 4 THEN 'badger 🦡 ' || n
                    ELSE 'product-category-' || n END,
       '{}', ARRAY['all', CASE WHEN n %% 1000 = 0 THEN 'few' ELSE 'many' END], now(), now()
FROM generate_series(%(first)s, %(last)s) n ORDER BY md5(n::text)
"""
PATTERNS = (
    (Selection.CONTAINS, "product-category-99999"),
    (Selection.CONTAINS, "product-category-1"),
    (Selection.CONTAINS, "product"),
    (Selection.CONTAINS, "99999"),
    (Selection.CONTAINS, "ser/1"),
    (Selection.CONTAINS, "nowhere"),
    (Selection.CONTAINS, "1"),
    (Selection.CONTAINS, "x"),
    (Selection.CONTAINS, "ca"),
    (Selection.CONTAINS, "zz"),
    (Selection.CONTAINS, ""),
    (Selection.CONTAINS, "%"),
    (Selection.CONTAINS, "_"),
    (Selection.CONTAINS, "\\"),
    (Selection.CONTAINS, '"'),
    (Selection.CONTAINS, "'"),
    (Selection.CONTAINS, "🦡"),
    (Selection.CONTAINS, "🦡 99"),
    (Selection.PREFIX, "product-category-99"),
    (Selection.PREFIX, "p"),
    (Selection.GLOB, "product-*-99999"),
    (Selection.GLOB, "*roduct*category*77?"),
    (Selection.GLOB, "?roduct-category-1?"),
    (Selection.TAG, "few"),
    (Selection.TAG, "all"),
)


def measure(options: Namespace) -> dict[str, Any]:
    """Fill in the keys of two tenants, and look each pattern up again and again."""
    say(f"filling in twice {options.names:,} keys")
    application = _filled(options.names)
    figures: list[dict[str, Any]] = []
    for selection, pattern in PATTERNS:
        took = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            found, total = names(application, selection, pattern)
            took.append((time.perf_counter() - start) * 1000)
        took.sort()
        median, worst = took[ROUNDS // 2], took[math.ceil(0.95 * ROUNDS) - 1]
        figures.append({
            "selection": selection.value, "pattern": pattern, "names": len(found), "total": total,
            "p50_ms": round(median, 1), "p95_ms": round(worst, 1),
        })  # fmt: skip
    columns = ["selection", "pattern", "names", "total", "p50_ms", "p95_ms"]
    table(
        ["selection", "pattern", "names", "total", "p50 ms", "p95 ms"], [[one[c] for c in columns] for one in figures]
    )
    slowest = max(one["p95_ms"] for one in figures)
    say(f"slowest: {slowest} ms; the goal is below {GOAL_MS} ms")
    return {"keys": options.names, "slowest_ms": slowest, "goal_ms": GOAL_MS, "patterns": figures}


def _filled(keys: int) -> Application:
    """Two applications with so many keys each; the first of them. Indexes are made afterwards, which is quicker."""
    made = []
    indexes = CacheKey._meta.indexes
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(CacheKey, index)
    for name in ("Bench", "Another tenant"):
        application = create_application(name=name, workspace=name, by=OPERATOR, now=fleet.database_now())
        source = DataSource.objects.create(application=application, tag="s", name="s", type=SourceType.REST)
        with connection.cursor() as cursor:
            for first in range(1, keys + 1, STEP):
                last = min(first + STEP - 1, keys)
                given = {"application": application.pk, "source": source.pk, "first": first, "last": last}
                cursor.execute(_FILL, given)
        made.append(application)
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(CacheKey, index)
    settle()
    return made[0]
