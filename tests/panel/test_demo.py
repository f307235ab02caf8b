"""The demo of a first start: a job that succeeds, a token, and a curl that works; in an empty database only."""

import asyncio
import re
from collections.abc import Iterator
from importlib import reload
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import Resolver404, clear_url_caches, resolve
from django.utils import timezone

from badgerjobs import urls
from badgerjobs.lib import vault
from badgerjobs.outbound import client as outbound
from badgerjobs.panel.demo import create_demo
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.trials import try_transform
from badgerjobs.web.outgoing import echo_address, open_client
from badgerjobs.workspaces.models import Application, Member, Token
from jobs.models import Job
from tasks.models import CachedValue, CacheKey, Task
from tasks.selection import matching
from tests.callers import Caller
from tests.factories import make_application, value_of
from webhooks.models import Delivery, Hook


def said() -> str:
    out = StringIO()
    call_command("create_demo", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_an_empty_database_gets_a_job_and_a_token_that_works() -> None:
    welcome = said()
    found = re.search(r"bj_\w{8}_[\w-]{43}", welcome)
    assert found
    [job] = Caller(found[0]).get("/jobs/").body["results"]
    assert (job["tag"], job["run_every"], job["endpoint"]) == ("hello", "PT5M", "http://127.0.0.1:8000/echo/hello")
    assert job["next_run_at"]
    assert Member.objects.get().role == "owner"


@pytest.mark.django_db
def test_the_password_that_is_printed_signs_in_at_the_address_beside_it() -> None:
    found = re.search(r"http://127.0.0.1:8000(/)\n  (demo@example\.com) / (\S+)\n", said())
    assert found
    at, email, password = found.groups()
    browser = Client(headers={"Accept": "text/html"})
    form = browser.get(at, follow=True)
    landed = browser.post(form.request["PATH_INFO"], {"login": email, "password": password}, follow=True)
    assert landed.status_code == 200
    assert landed.request["PATH_INFO"].startswith("/a/")


@pytest.mark.django_db
def test_the_curl_that_is_printed_calls_a_hook_that_runs_the_task() -> None:
    curl = re.search(r"curl http://127.0.0.1:8000(/hooks/\S+) -H '(.*?): (.*?)' -d '(\{.*?\})'", said())
    assert curl
    answer = Caller().send("POST", f"http://testserver{curl[1]}", curl[4].encode(), **{curl[2]: curl[3]})
    assert answer.status == 202
    hook = Hook.objects.get()
    assert Delivery.objects.of(hook).get().pk == UUID(answer.body["id"])
    assert Task.objects.get(tag=hook.actions[0]["task"]).application == hook.application


@pytest.mark.django_db
def test_the_curl_that_is_printed_makes_a_job() -> None:
    welcome = said()
    curl = re.search(r"curl -X POST http://127.0.0.1:8000(\S+).*?Bearer (\S+)'.*?-d '(\{.*?\})'", welcome, re.DOTALL)
    assert curl
    path, secret, body = curl.groups()
    answer = Caller(secret).send("POST", path, body.encode())
    assert (answer.status, answer.body["tag"]) == (201, "first")
    shows = re.search(r"curl http://127.0.0.1:8000(\S+/results/)", welcome)
    assert shows
    assert Caller(secret).get(shows[1]).status == 200


@pytest.mark.django_db
def test_it_has_keys_of_a_source_that_asks_its_own_receiver_and_a_task_for_all_of_them() -> None:
    said()
    source, task = DataSource.objects.get(), Task.objects.get()
    assert source.configuration["url"] == "http://127.0.0.1:8000/echo/products/{{PRODUCT_ID}}"
    assert [key.name for key in matching(task.application, task.selection, task.pattern)] == [
        "product-1-", "product-2-", "product-3-",
    ]  # fmt: skip
    assert (task.type, task.runnable.next_run_at) == ("on_demand", None)


@pytest.mark.django_db
def test_the_value_that_the_curl_reads_is_one_of_the_keys() -> None:
    found = re.search(r"curl -i http://127.0.0.1:8000(/api/v1/cache/(\S+)) -H 'Authorization: Bearer (\S+)'", said())
    assert found
    key = CacheKey.objects.get(name=found[2])
    CachedValue.objects.filter(key=key).update(**value_of('{"product": "1"}', timezone.now()))
    answer = Caller(found[3]).get(found[1])
    assert (answer.status, answer.body) == (200, {"product": "1"})


@pytest.mark.django_db(transaction=True)
def test_what_is_fetched_from_the_receiver_is_made_into_a_value() -> None:
    said()
    source = DataSource.objects.get()
    answered = Client().get("/echo/products/2").json()
    made = try_transform(
        application=source.application, code=source.configuration["transform"], response=answered,
        variables={"PRODUCT_ID": "2"},
    )  # fmt: skip
    assert made.value == {"product": "2", "asked": "/echo/products/2"}


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("0.0.0.0", "127.0.0.1:8000"),
        ("::", "[::1]:8000"),
        ("::1", "[::1]:8000"),
        ("192.0.2.7", "192.0.2.7:8000"),
        ("localhost", "127.0.0.1:8000"),
    ],
)
@pytest.mark.django_db
def test_the_demo_calls_the_address_that_the_server_listens_on_and_the_worker_lets_it(
    host: str, place: str, settings: Any
) -> None:
    settings.HOST = host
    welcome = said()
    endpoint = Job.objects.get().endpoint
    assert endpoint == f"http://{place}/echo/hello"
    assert f"curl -X POST http://{place}/api/v1/jobs/" in welcome
    assert f'"endpoint": "http://{place}/echo/first"' in welcome
    client = open_client()
    assert isinstance(client, outbound.Client)
    assert client._own
    assert client._own.admits(endpoint)


@pytest.mark.parametrize("host", ["::1", "127.0.0.2"])
def test_the_receiver_can_be_called_wherever_the_server_listens(host: str, settings: Any) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def call() -> int:
        async with await asyncio.start_server(answer, host, 0) as server, open_client_at(server) as client:
            answered: outbound.Answer = await client.send(outbound.Call("GET", echo_address("hello")))
            return answered.status

    def open_client_at(server: asyncio.Server) -> Any:
        settings.HOST, settings.PORT = host, server.sockets[0].getsockname()[1]
        return open_client()

    assert asyncio.run(call()) == 200


@pytest.mark.django_db
def test_twice_does_nothing_the_second_time() -> None:
    assert said()
    again = said()
    assert again.startswith("For another token:")
    assert "press “Forgotten?” at http://127.0.0.1:8000/ (the log of web below then shows a link)" in again
    assert again.endswith("; the demo's owner is demo@example.com\n")
    assert "bj_" not in again
    assert (Application.objects.count(), Job.objects.count(), Token.objects.count()) == (1, 1, 1)


@pytest.mark.django_db
def test_a_database_that_is_used_gets_no_demo() -> None:
    make_application()
    assert create_demo(now=timezone.now()) is None
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_where_there_is_no_demo_nobody_is_called_its_owner() -> None:
    make_application()
    again = said()
    assert "press “Forgotten?”" in again
    assert "demo" not in again


def test_the_receiver_answers_with_what_it_was_sent() -> None:
    answer = Client().post("/echo/a/b?x=1", b'{"hello": "badger"}', "application/json", headers={"X-Team": "shop"})
    shown = answer.json()
    assert (answer.status_code, shown["method"], shown["path"], shown["query"]) == (
        200,
        "POST",
        "/echo/a/b",
        {"x": "1"},
    )
    assert (shown["body"], shown["headers"]["X-Team"]) == ('{"hello": "badger"}', "shop")


def test_the_receiver_gives_no_credentials_away() -> None:
    """Whoever may look at a run sees its answer; what its job sends they do not."""
    headers = {"Authorization": "Bearer hunter2", "Cookie": "sid=hunter2", "X-Api-Key": "hunter2"}
    answer = Client().post("/echo/", headers=headers)
    assert b"hunter2" not in answer.content
    assert answer.json()["headers"]["Authorization"] == vault.MASK


@pytest.mark.parametrize("body", [b"", b"\xff\x00", "é".encode()])
def test_the_receiver_takes_any_body(body: bytes) -> None:
    answer = Client().generic("PUT", "/echo/", body)
    assert answer.json()["body"] == body.decode(errors="replace")


@pytest.fixture
def without_demo(settings: Any) -> Iterator[None]:
    settings.DEMO = False
    clear_url_caches()
    reload(urls)
    yield
    settings.DEMO = True
    clear_url_caches()
    reload(urls)


@pytest.mark.usefixtures("without_demo")
def test_there_is_no_receiver_without_the_demo() -> None:
    for address in ("/echo/", "/echo/a"):
        with pytest.raises(Resolver404):
            resolve(address)
    assert resolve("/healthz").url_name == "healthz"
