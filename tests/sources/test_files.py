"""Files that people upload: by the API and in the form, whole or not at all, and read as they are pulled."""

import gzip
from datetime import timedelta
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from badgerjobs.sources.files import keeping, receiving
from badgerjobs.sources.files.keeping import Keeping, forget_left, give
from badgerjobs.sources.models import DataSource, FilePart, SourceFile
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.web import lengths
from badgerjobs.web.late_bodies import Arriving
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry, Role, Workspace
from tests.callers import Caller
from tests.clients import browser_in
from tests.factories import NOW, make_source
from tests.in_turn import in_turn
from tests.jobs.form_page import text_of
from tests.runs.together import behind
from tests.sources.pulling import pulled

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = b"id;price\n1;1,50\n2;2\n"
ROWS = [{"id": 1, "price": 1.5}, {"id": 2, "price": 2}]


@pytest.fixture
def source(alice: Caller) -> DataSource:
    return make_source(alice.application, "prices", type="CSV_FILE")


def uploaded(caller: Caller, body: bytes, tag: str = "prices", query: str = "?name=prices.csv", **headers: str) -> Any:
    return caller.send("PUT", f"/sources/{tag}/file/{query}", body, **headers)


def form_of(body: bytes, name: str = "file") -> tuple[bytes, str]:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="C:\\\\prices.csv"\r\n\r\n'
    return head.encode() + body + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def held(source: DataSource) -> bytes:
    return b"".join(bytes(part.data) for part in FilePart.objects.filter(file__source=source).order_by("position"))


def test_a_file_is_uploaded_shown_and_pulled(alice: Caller, source: DataSource) -> None:
    assert alice.get("/sources/prices/").body["file"] is None
    answer = uploaded(alice, TABLE)
    assert answer.status == 200, answer.body
    told = answer.body["file"]
    assert (told["name"], told["bytes"]) == ("prices.csv", len(TABLE))
    assert told["uploaded_by"] == AuditEntry.objects.latest("pk").actor
    assert alice.get("/sources/").body["results"][0]["file"] == told
    came = pulled(source)
    assert (came.rows, came.found["decimal"]) == (ROWS, {"price": ","})
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.changes["file"]) == ("source.upload", [None, "prices.csv"])


def test_it_is_kept_in_parts(alice: Caller, source: DataSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PART_BYTES", 4)
    monkeypatch.setattr(receiving, "PIECE", 7)
    assert uploaded(alice, TABLE).status == 200
    assert [len(part.data) for part in FilePart.objects.order_by("position")] == [4, 4, 4, 4, 4]
    assert pulled(source).rows == ROWS


@in_turn("body", [TABLE, gzip.compress(TABLE), b"\xef\xbb\xbf" + TABLE])
def test_it_may_be_packed_and_a_form(alice: Caller, body: bytes) -> None:
    source = make_source(alice.application, f"prices-{len(body)}", type="CSV_FILE")
    form, kind = form_of(body)
    answer = uploaded(alice, form, source.tag, "", Content_Type=kind)
    assert (answer.status, answer.body["file"]["name"], held(source)) == (200, "prices.csv", body)
    assert pulled(source).rows == ROWS


def test_json_lines_are_uploaded_too(alice: Caller) -> None:
    source = make_source(alice.application, "lines", type="JSONL_FILE")
    assert uploaded(alice, b'{"a": 1}\n\n[2]', "lines", "").body["file"]["name"] == "file"
    assert pulled(source).rows == [{"a": 1}, [2]]


def test_the_next_one_takes_its_place(alice: Caller, source: DataSource) -> None:
    uploaded(alice, TABLE)
    uploaded(alice, b"id\n7\n")
    assert (pulled(source).rows, SourceFile.objects.count(), FilePart.objects.count()) == ([{"id": 7}], 1, 1)


def test_who_reads_the_one_before_is_told(alice: Caller, source: DataSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PART_BYTES", 4)
    uploaded(alice, TABLE)
    FilePart.objects.filter(position=3).delete()
    with pytest.raises(PullError) as caught:
        pulled(source)
    assert (caught.value.error_class, caught.value.retry) == ("file", True)
    assert "Another file was uploaded" in caught.value.sentence


def test_without_a_file_every_pull_fails(source: DataSource) -> None:
    with pytest.raises(PullError) as caught:
        pulled(source)
    assert (caught.value.sentence, caught.value.retry) == ("No file has been uploaded yet.", False)


def test_it_goes_with_its_source(alice: Caller, source: DataSource) -> None:
    uploaded(alice, TABLE)
    assert alice.delete("/sources/prices/").status == 204
    assert (SourceFile.objects.count(), FilePart.objects.count()) == (0, 0)


def test_only_an_empty_body_and_a_form_without_one_have_no_file(alice: Caller, source: DataSource) -> None:
    form, kind = form_of(TABLE, "other")
    for answer in (uploaded(alice, b""), uploaded(alice, form, Content_Type=kind)):
        assert (answer.status, "has no file" in answer.body["detail"]) == (400, True)
    assert uploaded(alice, b"\n").status == 200
    assert pulled(source).rows == []


def test_what_is_too_long_is_refused_and_the_one_before_stays(
    alice: Caller, source: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded(alice, TABLE)
    monkeypatch.setattr(keeping, "FILE_BYTES", 20)
    form, kind = form_of(TABLE * 2)
    for answer in (uploaded(alice, TABLE * 2), uploaded(alice, form, Content_Type=kind)):
        assert (answer.status, "more than 20 bytes" in answer.body["detail"]) == (413, True)
    monkeypatch.setattr(lengths, "FILE_BYTES", -4 * 1024 * 1024 + 20)
    answer = uploaded(alice, TABLE * 2)
    assert (answer.status, "at most 20 are taken" in answer.body["detail"]) == (413, True)
    assert (held(source), SourceFile.objects.count()) == (TABLE, 1)


def test_all_files_of_a_workspace_have_so_much_room_together(
    alice: Caller, source: DataSource, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MB", 10)
    settings.FILES_MB = 5
    workspace = alice.application.workspace
    other = make_source(Application.objects.create(workspace=workspace, name="other"), "prices", type="CSV_FILE")
    keeping_one = Keeping(other.application, "prices.csv", by=OPERATOR, now=NOW, tag="prices")
    keeping_one.write(TABLE)
    give(source=other, file=keeping_one.end(), by=OPERATOR, now=NOW)
    assert uploaded(alice, TABLE).status == 200
    form, kind = form_of(TABLE * 2)
    for answer in (uploaded(alice, TABLE * 2), uploaded(alice, form, Content_Type=kind)):
        assert (answer.status, "may have 5 MB together" in answer.body["detail"]) == (413, True)
    make_source(alice.application, "more", type="CSV_FILE")
    assert uploaded(alice, TABLE, "more").status == 413
    assert uploaded(alice, TABLE + b"3;3\n").status == 200  # in the place of the one before
    assert (held(source), held(other), SourceFile.objects.count()) == (TABLE + b"3;3\n", TABLE, 2)
    settings.FILES_MB = 0
    assert uploaded(alice, TABLE, "more").status == 200


def test_of_two_files_that_arrive_at_once_the_second_is_counted_with_the_first(
    alice: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MB", 1)
    settings.FILES_MB = 30
    first, second = (Keeping(alice.application, name, by=OPERATOR, now=NOW) for name in "ab")
    first.write(TABLE)
    second.write(TABLE)
    assert behind(lambda: locked(alice.application), lambda: ended(first), lambda: ended(second)) == [
        len(TABLE), "FullError",
    ]  # fmt: skip
    assert first.file.bytes == len(TABLE)


def locked(application: Application) -> None:
    Workspace.objects.select_for_update(no_key=True).get(pk=application.workspace_id)


def ended(file: Keeping) -> int | str:
    """Its bytes, or why it has none."""
    try:
        return file.end().bytes
    except keeping.FileError as error:
        return type(error).__name__


def test_half_a_file_is_not_taken_for_a_whole_one(alice: Caller, source: DataSource) -> None:
    uploaded(alice, TABLE)
    form, kind = form_of(TABLE)
    for body, content_type in ((TABLE, "text/csv"), (form[:-20], kind)):
        cut: dict[str, Any] = {"wsgi.input": BytesIO(body[: len(body) // 2])}
        answer = alice.client.generic(
            "PUT", "/api/v1/sources/prices/file/", body, content_type,
            headers={"Authorization": f"Bearer {alice.secret}"}, **cut,
        )  # fmt: skip
        assert answer.status_code == 400, answer.content
    assert (held(source), SourceFile.objects.count()) == (TABLE, 1)


def test_what_is_called_has_no_file_and_another_application_none_of_ours(
    alice: Caller, charlie: Caller, source: DataSource
) -> None:
    make_source(alice.application, "called")
    assert uploaded(alice, TABLE, "called").status == 409
    assert uploaded(charlie, TABLE).status == 404
    assert SourceFile.objects.count() == 0


def test_what_never_became_whole_is_forgotten(alice: Caller) -> None:
    Keeping(alice.application, "half.csv", by=OPERATOR, now=NOW).write(TABLE)
    forget_left(NOW + timedelta(minutes=59))
    assert SourceFile.objects.count() == 1
    forget_left(NOW + timedelta(minutes=61))
    assert (SourceFile.objects.count(), FilePart.objects.count()) == (0, 0)


def test_a_long_body_has_the_time_that_it_needs(rf: Any) -> None:
    request = rf.put("/", b"x" * 1000)
    body = Arriving(None, None)  # type: ignore[arg-type]  # never read
    request.META["wsgi.input"] = body
    request.META["CONTENT_LENGTH"] = str(256 * 1024 * 1024)
    receiving.give_time(request)
    assert body.until is not None
    before = body.until
    request.META["CONTENT_LENGTH"] = "1000"
    receiving.give_time(request)
    assert 500 < before - body.until < 600


def sent(browser: Client, address: str, file: bytes = b"", **fields: Any) -> Any:
    given: dict[str, Any] = {"name": "Prices", "configuration_header": "on", **fields}
    if file:
        given["file"] = SimpleUploadedFile("prices.csv", file)
    return browser.post(address, given)


def test_the_form_takes_a_file(shop: Application) -> None:
    browser, new = browser_in(shop), reverse("sources:new-source", args=[shop.slug]) + "?type=CSV_FILE"
    page = browser.get(new).content.decode()
    assert 'enctype="multipart/form-data"' in page
    assert 'type="file"' in page
    assert "Who asks" not in page
    assert sent(browser, new, TABLE).status_code == 302
    source = DataSource.objects.get()
    assert (held(source), source.file.name, source.file.uploaded_by) == (TABLE, "prices.csv", "alice@example.com")
    page = text_of(browser.get(reverse("sources:source", args=[shop.slug, source.tag])))
    assert f"prices.csv {len(TABLE)} bytes, uploaded" in page
    assert "What is called" not in page


def test_the_form_changes_the_file_or_leaves_it(shop: Application) -> None:
    browser, source = browser_in(shop), make_source(shop, "prices", type="CSV_FILE")
    edit = reverse("sources:edit-source", args=[shop.slug, source.tag])
    for file, kept in ((TABLE, TABLE), (b"", TABLE), (b"id\n7\n", b"id\n7\n")):
        source.refresh_from_db()
        assert sent(browser, edit, file, seen=source.updated_at.isoformat()).status_code == 302
        assert held(source) == kept
    assert "It takes the place of prices.csv" in text_of(browser.get(edit))


def test_a_form_whose_file_has_no_room_says_so_and_keeps_the_one_before(shop: Application, settings: Any) -> None:
    browser, source = browser_in(shop), make_source(shop, "prices", type="CSV_FILE")
    edit = reverse("sources:edit-source", args=[shop.slug, source.tag])
    assert sent(browser, edit, TABLE, seen=source.updated_at.isoformat()).status_code == 302
    settings.FILES_MB = 1
    source.refresh_from_db()
    seen = source.updated_at.isoformat()
    answer = sent(browser, edit, b"x" * 1_000_001, seen=seen)
    assert (answer.status_code, "may have 1 MB together" in text_of(answer)) == (413, True)
    assert (held(source), SourceFile.objects.count()) == (TABLE, 1)
    assert sent(browser, edit, b"x" * 1_000_000, seen=seen).status_code == 302


def test_a_form_with_something_wrong_keeps_nothing(shop: Application) -> None:
    browser, new = browser_in(shop), reverse("sources:new-source", args=[shop.slug]) + "?type=CSV_FILE"
    assert sent(browser, new, TABLE, name="").status_code == 200
    assert (DataSource.objects.count(), SourceFile.objects.count()) == (0, 0)


def test_a_file_is_tried_before_it_is_stored(shop: Application) -> None:
    browser = browser_in(shop)
    address = reverse("sources:try-source", args=[shop.slug]) + "?type=CSV_FILE"
    part = text_of(sent(browser, address, TABLE + b"3;x\n" * 500_000))
    for words in ("read after", "The first 20 rows", "price text"):
        assert words in part
    assert "No file has been uploaded yet." in text_of(sent(browser, address))
    assert SourceFile.objects.count() == 0


def test_a_stored_one_is_tried_too(shop: Application) -> None:
    source = make_source(shop, "prices", type="CSV_FILE")
    keeping_one = Keeping(shop, "prices.csv", by=OPERATOR, now=NOW)
    keeping_one.write(TABLE)
    give(source=source, file=keeping_one.end(), by=OPERATOR, now=NOW)
    part = unescape(text_of(sent(browser_in(shop), reverse("sources:try-source", args=[shop.slug]) + "?source=prices")))
    assert "decimal comma in price" in part
    assert "PRODUCT_ID" not in part


def test_nobody_s_file_is_read(shop: Application) -> None:
    new = reverse("sources:new-source", args=[shop.slug]) + "?type=CSV_FILE"
    assert sent(Client(), new, TABLE).status_code == 302
    assert sent(browser_in(shop, Role.VIEWER), new, TABLE).status_code == 403
    forged = browser_in(shop)
    forged.handler.enforce_csrf_checks = True
    assert sent(forged, new, TABLE).status_code == 403
    assert (DataSource.objects.count(), SourceFile.objects.count()) == (0, 0)


def test_too_many_at_once_are_told(shop: Application, alice: Caller, source: DataSource) -> None:
    new = reverse("sources:new-source", args=[shop.slug]) + "?type=CSV_FILE"
    with receiving.room(alice.application.pk), receiving.room(alice.application.pk), receiving.room(shop.pk):
        answer = uploaded(alice, TABLE)
        assert (answer.status, "Other files" in answer.body["detail"]) == (429, True)
        assert sent(browser_in(shop), new, TABLE).status_code == 302
    assert uploaded(alice, TABLE).status == 200
