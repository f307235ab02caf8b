"""What the database holds of secrets: nothing that somebody with a dump of it could use."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from badgerjobs.lib.vault import CannotDecryptError
from badgerjobs.workspaces.models import Application, Token
from jobs.models import Job
from tests.callers import Caller
from tests.factories import make_application, make_job, make_token
from tests.workspaces.database_texts import places_of

pytestmark = pytest.mark.django_db

HEADERS = {"Authorization": "Bearer hunter2-a", "X-Harmless": "hunter2-b"}
JOB = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET", "headers": HEADERS}


def test_a_text_is_found_wherever_it_stands(alice: Caller) -> None:
    """Else the tests below would find nothing for the wrong reason."""
    alice.post("/jobs/", {**JOB, "body": "needle"}, Idempotency_Key="needle in a key")
    assert {"jobs_job.body", "web_keyedrequest.key"} <= set(places_of("needle"))


def test_a_token_is_in_no_column(alice: Caller) -> None:
    alice.post("/jobs/", JOB, Idempotency_Key="k")
    assert Token.objects.get().last_used_at
    assert places_of(alice.secret) == []
    assert places_of(alice.secret.removeprefix(f"bj_{Token.objects.get().prefix}_")) == []
    assert places_of(alice.secret[-20:]) == []


def test_a_token_is_recognised_by_its_prefix() -> None:
    secret = make_token(make_application())
    assert Token.objects.get().prefix == secret.split("_")[1]
    assert places_of(Token.objects.get().digest) == ["workspaces_token.digest"]


def test_a_jobs_headers_are_in_no_column_also_where_the_answer_is_kept(alice: Caller) -> None:
    assert alice.post("/jobs/", JOB, Idempotency_Key="k").status == 201
    assert alice.put("/jobs/u/", {**JOB, "tag": "u"}).status == 201
    assert alice.patch("/jobs/u/", {"headers": {**HEADERS, "X-More": "hunter2-c"}}).status == 200
    assert places_of("hunter2") == []
    assert Job.objects.get(tag="t").headers == HEADERS


def test_a_signing_key_is_in_no_column() -> None:
    application = make_application()
    assert application.signing_key.startswith("whsec_")
    assert places_of("whsec_") == []
    assert places_of(application.signing_key.removeprefix("whsec_")) == []
    assert Application.objects.get().signing_key == application.signing_key


def test_two_applications_have_two_keys() -> None:
    assert make_application("a").signing_key != make_application("b").signing_key


def raw(table: str, column: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")
        (value,) = cursor.fetchone()
    return value


def test_the_first_key_encrypts_and_all_of_them_decrypt(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]
    application = make_application()
    make_job(application, headers=HEADERS)
    before = raw("jobs_job", "headers")

    settings.ENCRYPTION_KEYS = [new, old]
    job = Job.objects.get()
    assert (job.headers, Application.objects.get().signing_key) == (HEADERS, application.signing_key)
    job.save()
    application.save()
    assert raw("jobs_job", "headers") != before

    settings.ENCRYPTION_KEYS = [new]
    assert (Job.objects.get().headers, Application.objects.get().signing_key) == (HEADERS, application.signing_key)

    settings.ENCRYPTION_KEYS = [old]
    with pytest.raises(CannotDecryptError, match="ENCRYPTION_KEYS"):
        Job.objects.get()


def test_what_is_empty_is_kept_empty() -> None:
    make_job(make_application(), headers={})
    assert raw("jobs_job", "headers") == ""
    assert Job.objects.get().headers == {}
