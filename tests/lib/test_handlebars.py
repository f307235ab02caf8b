"""Templates: values put in, escaped by place; what is missing is an error that names it."""

import re
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from badgerjobs.lib import handlebars
from badgerjobs.lib.handlebars import Filling, Place, TemplateError, check, check_all, fill, find, names, render

VALUES: dict[str, Any] = {
    "input": {
        "id": 7,
        "name": 'Zoë "Z" O/Neil',
        "tags": ["a", "b"],
        "none": None,
        "yes": True,
        "user": {"mail": "z@x.org"},
    }
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{input.id}}", "7"),
        ("{{ input.user.mail }}", "z@x.org"),
        ("a{{input.tags.1}}c", "abc"),
        ("{{input.tags}}", '["a", "b"]'),
        ("[{{input.none}}]", "[]"),
        ("{{input.yes}}", "true"),
        (r"\{{input.id}}", "{{input.id}}"),
        ("{not}", "{not}"),
        ("}}", "}}"),
    ],
)
def test_a_placeholder_becomes_its_value(template: str, expected: str) -> None:
    assert render(template, VALUES) == expected


@pytest.mark.parametrize(
    ("place", "template", "expected"),
    [
        (Place.URL, "/p/{{input.name}}", "/p/Zo%C3%AB%20%22Z%22%20O%2FNeil"),
        (Place.FORM, "n={{input.name}}", "n=Zo%C3%AB%20%22Z%22%20O%2FNeil"),
        (Place.HEADER, "id {{input.id}}", "id 7"),
        (Place.JSON, '{"n": "{{input.name}}"}', '{"n": "Zoë \\"Z\\" O/Neil"}'),
        (Place.JSON, '{"n": {{input.name}}}', '{"n": "Zoë \\"Z\\" O/Neil"}'),
        (Place.JSON, '{"a": {{input.tags}}, "b": {{input.none}}}', '{"a": ["a", "b"], "b": null}'),
        (Place.JSON, '{"n": "say \\"{{input.id}}\\" {{input.yes}}"}', '{"n": "say \\"7\\" true"}'),
        (Place.JSON, '{"a\\\\": {{input.id}}, "b": "{{input.none}}"}', '{"a\\\\": 7, "b": ""}'),
    ],
)
def test_a_value_is_escaped_for_the_place_where_it_stands(place: Place, template: str, expected: str) -> None:
    assert render(template, VALUES, place) == expected


@pytest.mark.parametrize("step", [".", ".."])
def test_no_value_leads_to_another_path_of_a_url(step: str) -> None:
    with pytest.raises(TemplateError, match="another path"):
        render("/a/{{input}}/b", {"input": step}, Place.URL)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ü", "\0"])
def test_no_value_makes_another_header(value: str) -> None:
    with pytest.raises(TemplateError, match="input cannot stand in a header"):
        render("{{input}}", {"input": value}, Place.HEADER)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("input.nme", "There is no input.nme: input has id, name, tags, none, yes, user."),
        ("input.user.phone", "There is no input.user.phone: input.user has mail."),
        ("input.tags.2", "There is no input.tags.2: input.tags is a list of 2."),
        ("input.none.x", "There is no input.none.x: input.none is null."),
        ("input.name.x", "There is no input.name.x: input.name is a text."),
        ("input.id.x", "There is no input.id.x: input.id is no object."),
        ("inptu", "There is no inptu: the template has input."),
        ("input.__class__", "There is no input.__class__: input has id, name, tags, none, yes, user."),
        ("input.tags.99999999999", "There is no input.tags.99999999999: input.tags is a list of 2."),
    ],
)
def test_what_nobody_gave_is_named_with_what_there_is(path: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        find(path, VALUES)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "text", ["{{", "{{}}", "{{input", "{{input.}}", "{{#if x}}", "{{input | upper}}", "{{{input}}}", "{{1}}"]
)
def test_what_is_no_placeholder_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="is no placeholder"):
        check(text)


def test_values_are_never_templates_themselves() -> None:
    assert render("{{input}}", {"input": "{{secret}}", "secret": "s"}) == "{{secret}}"


def test_a_text_that_is_one_placeholder_becomes_the_value_of_its_type() -> None:
    filled = fill({"{{input.id}}": ["{{input.user}}", "n{{input.id}}", 5, None, "{{input.yes}}"]}, VALUES)
    assert filled == {"7": [{"mail": "z@x.org"}, "n7", 5, None, True]}


def test_a_json_value_is_checked_however_deep() -> None:
    check_all({"a": [{"b": "{{input.x}}"}]})
    with pytest.raises(TemplateError):
        check_all({"a": [{"b": "{{"}]})


def test_a_template_tells_what_it_names() -> None:
    assert list(names(r"{{input.a}} \{{no}} {{input.b.0}}")) == ["input.a", "input.b.0"]


def peak_of(work: Callable[[], object]) -> int:
    """The most memory that it took, in bytes, until it was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError, match="longer than 1,000,000 characters"):
            work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("place", Place)
def test_what_would_be_too_long_is_never_made(place: Place) -> None:
    values = {"input": "x" * 600_000}
    assert peak_of(lambda: render('{"a": ' + "{{input}}" * 300, values, place)) < 10_000_000


@pytest.mark.parametrize("text", ["{{input}}", "-{{input}}", "{{input.0}}"], ids=["alone", "in a text", "a text"])
def test_a_json_value_that_would_be_too_long_is_never_made(text: str) -> None:
    values = {"input": ["x" * 600_000]}
    assert peak_of(lambda: fill([text] * 300, values)) < 10_000_000
    assert peak_of(lambda: fill({f"{text}{n}": 1 for n in range(300)}, values)) < 10_000_000


def test_templates_that_are_filled_together_have_one_limit_and_its_name() -> None:
    filling = Filling({"input": "xxxx"}, most=10, what="the mail")
    assert filling.render("a{{input}}") == "axxxx"
    assert filling.fill(["{{input}}", 7]) == ["xxxx", 7]
    with pytest.raises(TemplateError, match=r"With the input in it the mail is longer than 10 characters\."):
        filling.render("no")


def test_a_value_counts_as_what_it_is_sent_as() -> None:
    assert fill("{{input}}", {"input": [1, 2, 3]}, most=len("[1,2,3]")) == [1, 2, 3]
    assert fill("{{input}}", {"input": '"\n'}, most=2) == '"\n'


def test_each_path_is_escaped_once(monkeypatch: pytest.MonkeyPatch) -> None:
    escaped: list[str] = []

    def escape(path: str, _: Any) -> str:
        escaped.append(path)
        return ""

    monkeypatch.setitem(handlebars._ESCAPES, Place.FORM, escape)
    render("{{input.id}}{{input.name}}" * 50, VALUES, Place.FORM)
    assert escaped == ["input.id", "input.name"]


MOMENT = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("template", "place", "filled"),
    [
        ("{{now}}", Place.TEXT, "2026-03-02T12:30:00Z"),
        ("{{ now }}", Place.URL, "2026-03-02T12%3A30%3A00Z"),
        ("{{now date}}", Place.HEADER, "2026-03-02"),
        ("{{now  %d.%m.%Y }}", Place.TEXT, "02.03.2026"),
        ('{"a": {{now unix}}, "b": {{now}}, "c": "{{now %H:%M}}"}', Place.JSON,
         '{"a": 1772454600, "b": "2026-03-02T12:30:00Z", "c": "12:30"}'),
    ],
)  # fmt: skip
def test_a_clock_among_the_values_is_written_in_its_format(template: str, place: Place, filled: str) -> None:
    check(template, with_clock=True)
    assert render(template, {"now": MOMENT}, place) == filled


def test_a_clock_alone_is_the_value_that_its_format_says() -> None:
    assert fill(["{{now unix}}", "{{now}}"], {"now": MOMENT}) == [1772454600, "2026-03-02T12:30:00Z"]


@pytest.mark.parametrize(
    ("template", "with_clock", "sentence"),
    [
        ("{{now iso}}", False, "“{{now iso}}” is no placeholder: write a path"),
        ("{{now tomorrow}}", True, "now: “tomorrow” is no format of a time"),
        ("{{then iso}}", True, "“{{then iso}}” is no placeholder"),
        ("{{now.date iso}}", True, "is no placeholder"),
    ],
)
def test_a_format_stands_behind_a_clock_alone(template: str, with_clock: bool, sentence: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(sentence)):
        check(template, with_clock=with_clock)


@pytest.mark.parametrize("values", [{"now": "noon"}, {"now": {"a": 1}}, {"input": 1}])
def test_a_format_of_what_is_no_clock_is_an_error_that_says_so(values: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match="now"):
        render("{{now iso}}", values)
