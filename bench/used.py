"""An application as it looks after weeks of use: jobs of every sort, runs in every state, people, tokens, a log."""

from django.db import connection
from django.utils import timezone

from badgerjobs.workspaces.audit import OPERATOR, record_all
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Application, Member, Role, User
from bench import history, rows

NAMES = "job"
PEOPLE, TOKENS, ENTRIES = 30, 20, 10_000

# A fifth each has run_at, run_every, a cron, a preset and nothing; a part is switched off, or has nothing planned.
_SCHEDULES = """
UPDATE runs_runnable SET
    enabled = id %% 11 <> 0,
    next_run_at = CASE WHEN id %% 11 <> 0 AND id %% 7 <> 0 AND id %% 5 <> 4 THEN next_run_at END,
    run_at = CASE WHEN id %% 5 = 0 THEN run_at END,
    run_every = CASE WHEN id %% 5 = 1 THEN 'PT1H' ELSE '' END,
    cron = CASE WHEN id %% 5 = 2 THEN '*/15 * * * *' ELSE '' END,
    preset = CASE WHEN id %% 5 = 3 THEN 'daily' ELSE '' END,
    last_run_at = now() - interval '7 hours' * random()
WHERE name LIKE %s || '-%%'
"""

# Of a hundred runs one failed, one was aborted and one was skipped, the last one of its job or any other.
_ENDS = """
WITH bad AS (
    UPDATE runs_run SET state = (ARRAY['failed', 'aborted', 'skipped'])[1 + (runnable_id * 31 + number) % 100],
        error = 'The endpoint answered 503.', finished_at = started_at + interval '1 second'
    WHERE (runnable_id * 31 + number) % 100 < 3 RETURNING id
)
UPDATE runs_attempt SET ok = false, error_class = 'status', error = 'The endpoint answered 503.'
FROM bad WHERE run_id = bad.id
"""

# Of the newest ones some go on, so many as a busy fleet has.
_UNFINISHED = """
UPDATE runs_run SET finished_at = NULL, attempts = 0,
    state = (ARRAY['running', 'queued', 'retrying', 'scheduled'])[1 + runnable_id / 50 % 4]
WHERE state = 'succeeded' AND number = (SELECT max(number) FROM runs_run) AND runnable_id % 50 = 0
"""


def fill(*, jobs: int, runs: int) -> tuple[Application, User]:
    """Make it, with so many jobs and runs. Returns it and its workspace's owner."""
    job = rows.template("https://example.com/prices")
    rows.copy_jobs(job, names=NAMES, count=jobs, next_run_at=rows.FAR)
    history.fill(names=NAMES, jobs=jobs, runs=runs)
    with connection.cursor() as cursor:
        cursor.execute(_SCHEDULES, [NAMES])
        cursor.execute(_ENDS)
        cursor.execute(_UNFINISHED)
    owner = _people(job.application)
    _tokens(job.application)
    rows.settle()
    return job.application, owner


def _people(application: Application) -> User:
    people = [User.objects.create_user(f"person-{number}@example.com") for number in range(PEOPLE)]
    workspace = application.workspace
    Member.objects.bulk_create(
        Member(workspace=workspace, user=person, role=Role.VIEWER if number else Role.OWNER)
        for number, person in enumerate(people)
    )
    return people[0]


def _tokens(application: Application) -> None:
    now = timezone.now()
    for number in range(TOKENS):
        issue_token(application=application, label=f"token {number}", by=OPERATOR, now=now)
    changed = {f"job-{number}": {"endpoint": ["", "https://example.com/"]} for number in range(ENTRIES)}
    record_all(by=OPERATOR, action="job.update", entries=changed, now=now, application=application)
