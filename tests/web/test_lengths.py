"""How long a request says that its body is."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from badgerjobs.web.lengths import length_of
from badgerjobs.web.middleware import bounded_body


@pytest.mark.parametrize(
    ("said", "length"),
    [("", 0), ("12", 12), ("0" * 5000 + "12", 12), ("-1", 0), ("²", 0), ("many", 0)],
    ids=["nothing", "12", "12 with zeros", "negative", "squared", "a word"],
)
def test_a_length_that_is_none_is_none(said: str, length: int) -> None:
    request = RequestFactory().post("/x", b"", content_type="text/plain", CONTENT_LENGTH=said)
    assert length_of(request) == length


@pytest.mark.parametrize(("said", "status"), [("9" * 5000, 413), ("²", 200)], ids=["5,000 digits", "squared"])
def test_odd_lengths_are_refused_or_none_and_never_a_fault(said: str, status: int) -> None:
    request = RequestFactory().post("/api/v1/jobs/", b"", content_type="text/plain", CONTENT_LENGTH=said)
    assert bounded_body(lambda _: HttpResponse())(request).status_code == status
