"""Many runs due at once, and what the books must say when they are over."""

from collections import Counter, defaultdict

from tests.e2e.stack import Stack


def plant(stack: Stack, count: int, *, over_s: float = 0, **fields: object) -> None:
    """Make jobs `job-1` to `job-COUNT`, each due once: half of them now, the others evenly over so many seconds.

    They are copies of one made by REST, which takes `fields`: the API would take longer than their runs.
    """
    stack.create_job("seed", **{"verb": "POST", "body": "x" * 100, **fields})
    due = f"now() + interval '1 s' * {over_s} * greatest(0, 2.0 * i / {count} - 1)"
    runnable, runnable_values = _copied(
        stack, "runs_runnable", name="'job-' || i", next_run_at=due, runs_made="0", last_run_at="NULL"
    )
    endpoint = f"'{stack.receiver.url}/' || planted.name"
    job, job_values = _copied(
        stack, "jobs_job", runnable_id="planted.id", tag="planted.name", name="planted.name", endpoint=endpoint
    )
    stack.sql(
        f"""
        WITH planted AS (
            INSERT INTO runs_runnable ({runnable})
            SELECT {runnable_values} FROM runs_runnable seed, generate_series(1, {count}) AS i WHERE seed.name = 'seed'
            RETURNING id, name
        )
        INSERT INTO jobs_job ({job}) SELECT {job_values} FROM planted, jobs_job seed WHERE seed.tag = 'seed'
        """.encode()
    )


def _copied(stack: Stack, table: str, **changed: str) -> tuple[str, str]:
    """The columns of a table but its key, and the values of a copy of `seed` with these changes."""
    rows = stack.sql("SELECT column_name FROM information_schema.columns WHERE table_name = %s", table)
    columns = [name for (name,) in rows if name != "id"]
    return ", ".join(columns), ", ".join(changed.get(name, f"seed.{name}") for name in columns)


def finished(stack: Stack) -> int:
    """How many runs are over."""
    [(count,)] = stack.sql("SELECT count(*) FROM runs_run WHERE finished_at IS NOT NULL")
    return int(count)


def check(stack: Stack, count: int) -> Counter[str]:
    """Every occurrence is one succeeded run with one attempt; no call came under another id, or without a reason.

    Returns how many runs were handed back, by the word that their log begins with: Rescued, Released.
    """
    runs = stack.sql(
        "SELECT r.id::text, o.name, r.state, r.attempts, r.worker, o.runs_made, o.next_run_at,"
        " (SELECT count(*) FROM runs_attempt a WHERE a.run_id = r.id AND a.ok),"
        " ARRAY(SELECT split_part(l.message, ':', 1) FROM runs_logline l WHERE l.run_id = r.id)"
        " FROM runs_run r JOIN runs_runnable o ON o.id = r.runnable_id WHERE o.name LIKE 'job-%'"
    )
    called = defaultdict(list)
    for call in stack.receiver.calls:
        called[call.path.removeprefix("/")].append(call.id)

    assert Counter(name for _, name, *_ in runs) == Counter(f"job-{number}" for number in range(1, count + 1))
    handed_back: Counter[str] = Counter()
    for run_id, name, state, attempts, worker, made, planned, tries, said in runs:
        found = (state, attempts, tries, worker, made, planned)
        assert found == ("succeeded", 1, 1, None, 1, None), (name, found, said)
        assert set(called[name]) == {run_id}, name
        assert set(said) <= {"Rescued", "Released"}, said
        assert len(called[name]) <= 1 + len(said), (name, said)
        handed_back.update(said)
    return handed_back
